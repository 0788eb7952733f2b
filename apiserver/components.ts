// ComponentStatuses of the control plane. The components run in the process that serves them, so they are healthy
// whenever it responds.
import { componentStatuses, type ComponentStatus } from "../api/core/componentstatuses.ts";
import type { Measured } from "./registry/in-process.ts";
import { notFound } from "./registry/refusals.ts";
import { matcherOf } from "./registry/selection.ts";

const names = ["scheduler", "controller-manager", "etcd-0"];
const healthy = (name: string): ComponentStatus =>
  ({
    apiVersion: "v1",
    kind: "ComponentStatus",
    metadata: { name },
    conditions: [{ type: "Healthy", status: "True", message: "ok" }],
  }) as unknown as ComponentStatus;

/** Serves component statuses, and delegates every other kind. */
export const withComponents = (others: Measured): Measured => ({
  async list(r, selection) {
    if (r.plural !== componentStatuses.plural) return others.list(r, selection);
    const matches = matcherOf(r, selection);
    return names.map(healthy).filter((component) => matches?.(component) ?? true);
  },
  async get(r, namespace, name) {
    if (r.plural !== componentStatuses.plural) return others.get(r, namespace, name);
    if (!names.includes(name)) throw notFound(r, name);
    return healthy(name);
  },
});
