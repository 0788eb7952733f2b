// On which nodes a daemon set runs a pod: by node name, node selector and affinity, and taints. Pure.
import { labelledNode, requiredMatcher } from "../../api/core/pod/node-affinity.ts";
import { tolerates } from "../../api/core/pod/tolerations.ts";
import type { DaemonSet, Node, PodSpec, Taint, Toleration } from "../../api/generated/types.ts";

const exists = (name: string, effect: Taint["effect"]): Toleration => ({
  ...{ key: `node.kubernetes.io/${name}`, operator: "Exists", effect },
});
/** A daemon's pod stays on a lost node, runs on one under pressure or cordoned, and with its own network needs none. */
const added: readonly Toleration[] = [
  exists("not-ready", "NoExecute"),
  exists("unreachable", "NoExecute"),
  exists("disk-pressure", "NoSchedule"),
  exists("memory-pressure", "NoSchedule"),
  exists("pid-pressure", "NoSchedule"),
  exists("unschedulable", "NoSchedule"),
];
const addedToHostNetwork: readonly Toleration[] = [exists("network-unavailable", "NoSchedule")];

const isSame = (a: Toleration, b: Toleration): boolean =>
  a.key === b.key && a.effect === b.effect && a.operator === b.operator && (a.value ?? "") === (b.value ?? "");

/** The tolerations of a daemon set's pods: those of its template, and those that every daemon has. */
export function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): readonly Toleration[] {
  const all = hostNetwork === true ? [...added, ...addedToHostNetwork] : added;
  return [...tolerations.filter((t) => !all.some((a) => isSame(a, t))), ...all];
}

/** What a daemon set does on a node. */
export interface Eligibility {
  /** A pod is created where there is none. */
  readonly runs: boolean;
  /** A pod that is there stays. */
  readonly stays: boolean;
}
const neither: Eligibility = { runs: false, stays: false };

/** The function from nodes to what a daemon set does on them. Scheduled pods leave for NoExecute taints only. */
export function eligibilityOf({ spec }: DaemonSet): (node: Node) => Eligibility {
  const template: PodSpec = spec.template.spec ?? { containers: [] };
  const matches = requiredMatcher(template);
  const tolerations = tolerationsOf(template);
  return (node) => {
    if (template.nodeName && template.nodeName !== node.metadata.name) return neither;
    if (matches && !matches(labelledNode(node))) return neither;
    const untolerated = (node.spec.taints ?? []).filter((taint) => !tolerations.some((t) => tolerates(t, taint)));
    return {
      runs: !untolerated.some(({ effect }) => effect !== "PreferNoSchedule"),
      stays: !untolerated.some(({ effect }) => effect === "NoExecute"),
    };
  };
}
