// Pods whose required rules speak of another pod: a move must not break them. Where a pod may go the scheduler decides;
// but what a pod leaves behind, it does not look at.
import type { Pod, PodAffinityTerm, TopologySpreadConstraint } from "../../api/generated/types.ts";
import { controllerOf } from "../../api/meta.ts";
import { selects } from "../../api/selector.ts";
import type { PodRule, Trial } from "./ports.ts";

const rules: readonly PodRule[] = ["InterPodAffinity", "PodTopologySpread"];

const requiredTerms = ({ spec }: Pod): readonly PodAffinityTerm[] =>
  spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const hardConstraints = ({ spec }: Pod): readonly TopologySpreadConstraint[] =>
  (spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule");

/** Whether the rules of a pod may concern another one. Namespaces that are selected may be any. */
function mayConcern(pod: Pod, { metadata: { namespace, labels } }: Pod): boolean {
  const isOwn = pod.metadata.namespace === namespace;
  return (
    requiredTerms(pod).some(
      ({ labelSelector, namespaces, namespaceSelector }) =>
        (isOwn || namespaceSelector !== undefined || namespaces?.includes(namespace ?? "")) &&
        selects(labelSelector, labels),
    ) ||
    (isOwn && hardConstraints(pod).some(({ labelSelector }) => selects(labelSelector, labels)))
  );
}

/** Equal for pods on one node that their controller made alike: the same rules hold for them, or do not. */
const likeness = ({ metadata, spec }: Pod): string =>
  `${spec.nodeName} ${metadata.labels?.["controller-revision-hash"]} ${controllerOf({ metadata })?.uid ?? metadata.uid}`;

/** Other pods whose rules about pods, beside anti-affinity, may concern this one; one of those that are alike. */
export const concernedBy = (pod: Pod, all: readonly Pod[]): readonly Pod[] => [
  ...new Map(
    all.filter((other) => other !== pod && mayConcern(other, pod)).map((other) => [likeness(other), other]),
  ).values(),
];

/** Those of these pods whose rules do not hold. */
export const violatorsAmong = (pods: readonly Pod[], trial: Trial): readonly Pod[] =>
  pods.filter((pod) => rules.some((rule) => trial.violation(pod, rule) !== undefined));
