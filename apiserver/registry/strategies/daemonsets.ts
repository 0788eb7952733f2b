// The number of a daemon set's template, kept in an annotation: Kubernetes' older API had it as a field, and its
// controller labels pods with it. Clients can set it in a create only.
import type { DaemonSet } from "../../../api/apps/daemonsets.ts";
import { sameJson } from "../../../api/hash.ts";
import type { ApiObject, Draft } from "../../../api/meta.ts";
import { defaultStrategy } from "../prepare.ts";
import type { Strategy } from "./strategy.ts";

const annotation = "deprecated.daemonset.template.generation";
const numberOf = ({ metadata }: { readonly metadata: Draft<ApiObject>["metadata"] }): number =>
  Math.max(1, Number.parseInt(metadata?.annotations?.[annotation] ?? "", 10) || 0);
const numbered = <T extends Draft<ApiObject>>(object: T, number: number): T => {
  const annotations = { ...object.metadata.annotations, [annotation]: String(number) };
  return { ...object, metadata: { ...object.metadata, annotations } };
};

export const daemonSetStrategy: Partial<Strategy> = {
  prepareForCreate: (draft, by) => numbered(defaultStrategy.prepareForCreate(draft, by), numberOf(draft)),
  prepareForUpdate(next, old, by) {
    const [before, after] = [old, next] as unknown as readonly [DaemonSet, DaemonSet];
    const isChanged = !sameJson(before.spec.template, after.spec.template);
    return defaultStrategy.prepareForUpdate(numbered(next, numberOf(old) + (isChanged ? 1 : 0)), old, by);
  },
};
