// Pod: a group of containers that share a network namespace, volumes and a lifecycle.
import { age } from "../age.ts";
import type { Pod } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { instantOf, type Draft, type Instant } from "../meta.ts";
import { podDefaults } from "./pod/defaults.ts";
import { isTerminal, qosClass, restarts, statusWord } from "./pod/status.ts";
import { podRules } from "./pod/rules.ts";
import { podStatusDefaults, validatePodStatus } from "./pod/validate-status.ts";
import { isMirrorPod } from "./pod/mirror.ts";
import { validatePod } from "./pod/validate.ts";
import { podWarnings } from "./pod/warnings.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { Pod } from "../generated/types.ts";

function defaults(draft: Draft<Pod>): Draft<Pod> {
  if (draft.spec === undefined) return draft;
  const spec = podDefaults(draft.spec, { isMirror: isMirrorPod(draft) });
  return {
    ...draft,
    spec,
    status: {
      ...draft.status,
      phase: draft.status?.phase ?? "Pending",
      qosClass: draft.status?.qosClass ?? qosClass(spec),
    },
  };
}

const ready = (p: Pod): string => {
  const statuses = p.status?.containerStatuses ?? [];
  return `${statuses.filter((s) => s.ready).length}/${p.spec.containers.length}`;
};
const lastRestart = (p: Pod): string | undefined =>
  (p.status?.containerStatuses ?? [])
    .flatMap((s) => s.lastState?.terminated?.finishedAt ?? [])
    .toSorted()
    .at(-1);
const restartCell = (p: Pod, now: Instant): string => {
  const last = lastRestart(p);
  return restarts(p) > 0 && last !== undefined ? `${restarts(p)} (${age(instantOf(last), now)} ago)` : `${restarts(p)}`;
};
const gatesCell = (p: Pod): string => {
  const gates = p.spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter((g) => p.status?.conditions?.some((c) => c.type === g.conditionType && c.status === "True"));
  return `${met.length}/${gates.length}`;
};

const endings: Readonly<Record<string, { readonly reason: string; readonly message: string }>> = {
  Succeeded: { reason: "Succeeded", message: "The pod has completed successfully." },
  Failed: { reason: "Failed", message: "The pod failed." },
};

export const pods = define<Pod>({
  group: "",
  kind: "Pod",
  shortNames: ["po"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: [
    "status",
    "binding",
    "eviction",
    "log",
    "exec",
    "attach",
    "portforward",
    "proxy",
    "ephemeralcontainers",
    "resize",
  ],
  generation: "spec",
  defaults,
  statusDefaults: podStatusDefaults,
  rules: podRules,
  validate: validatePod,
  validateStatus: validatePodStatus,
  warnings: (p) => podWarnings(p),
  selectable: {
    "spec.nodeName": (p) => p.spec.nodeName ?? "",
    "spec.restartPolicy": (p) => p.spec.restartPolicy ?? "",
    "spec.schedulerName": (p) => p.spec.schedulerName ?? "",
    "spec.serviceAccountName": (p) => p.spec.serviceAccountName ?? "",
    "spec.hostNetwork": (p) => String(p.spec.hostNetwork === true),
    "status.phase": (p) => p.status?.phase ?? "",
    "status.podIP": (p) => p.status?.podIP ?? "",
    "status.podIPs": (p) => p.status?.podIP ?? "",
    "status.nominatedNodeName": (p) => p.status?.nominatedNodeName ?? "",
  },
  completed: (p) => endings[p.status?.phase ?? ""],
  columns: [
    nameColumn,
    { name: "Ready", cell: ready },
    { name: "Status", cell: statusWord },
    { name: "Restarts", cell: restartCell },
    ageColumn,
    { name: "IP", priority: 1, cell: (p) => p.status?.podIP || "<none>" },
    { name: "Node", priority: 1, cell: (p) => p.spec.nodeName || "<none>" },
    { name: "Nominated Node", priority: 1, cell: (p) => p.status?.nominatedNodeName || "<none>" },
    { name: "Readiness Gates", priority: 1, cell: gatesCell },
  ],
});

/** Whether a pod occupies resources of its node. */
export const occupies = (p: Pod): boolean => p.spec.nodeName !== undefined && !isTerminal(p);
