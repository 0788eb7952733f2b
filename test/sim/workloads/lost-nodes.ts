// Nodes: what the loss of nodes may do to pods.
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Node, Pod, Toleration } from "../../../api/generated/types.ts";
import type { Rule } from "../judge.ts";

const isReady = ({ status }: Node): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;
export const outOfService = "node.kubernetes.io/out-of-service";
export const isOutOfService = ({ spec }: Node): boolean => spec.taints?.some((t) => t.key === outOfService) === true;
const isEvicted = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ reason }) => reason === "DeletionByTaintManager") === true;
/** How long the controller may take to notice that all nodes are lost, with the delays of its requests. */
const noticeMs = 10_000;

/** How long pods that do not tolerate the loss of their node for ever stay on it, in seconds. */
const tolerationSeconds = 20;
export const impatient: readonly Toleration[] = ["not-ready", "unreachable"].map((name) => ({
  ...{ key: `node.kubernetes.io/${name}`, operator: "Exists", effect: "NoExecute", tolerationSeconds },
}));

/** When no node is ready, the fault lies elsewhere, and pods stay where they are. */
export function nodeRules(): readonly Rule[] {
  let lostSince = Number.POSITIVE_INFINITY;
  const states: Rule<Node> = {
    name: "",
    kind: nodes,
    broken(_after, _before, committed) {
      const isLost = !committed.all(nodes).some(isReady);
      if (!isLost) lostSince = Number.POSITIVE_INFINITY;
      else lostSince = Math.min(lostSince, committed.at);
      return undefined;
    },
  };
  const eviction: Rule<Pod> = {
    name: "evicted while all nodes are lost",
    kind: pods,
    broken(after, before, { at, all }) {
      if (!isEvicted(after) || isEvicted(before) || at - lostSince <= noticeMs) return undefined;
      // A user's word is taken for a node that is shut down.
      const node = all(nodes).find(({ metadata }) => metadata.name === after?.spec.nodeName);
      return node && isOutOfService(node) ? undefined : after!.metadata.name;
    },
  };
  return [states, eviction];
}
