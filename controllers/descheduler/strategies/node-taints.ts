// RemovePodsViolatingNodeTaints: pods on nodes that have since been tainted against them. Pods that do not tolerate a
// NoExecute taint are evicted by the node lifecycle controller.
import { tolerates } from "../../../api/core/pod/tolerations.ts";
import type { Taint } from "../../../api/generated/types.ts";
import { perPod } from "../strategy.ts";

/** Taints that only keep pods away: those of cordoned, starting and failing nodes, and of one that is being removed. */
const isPassing = ({ key }: Taint): boolean =>
  key.startsWith("node.kubernetes.io/") || key === "ToBeDeletedByClusterAutoscaler";

export const nodeTaints = perPod(
  {
    name: "RemovePodsViolatingNodeTaints",
    summary: "pods that do not tolerate a NoSchedule taint of their node",
    isDefault: true,
  },
  ({ spec }, draft) => {
    const taint = draft
      .nodeNamed(spec.nodeName!)
      ?.spec.taints?.find(
        (t) => t.effect === "NoSchedule" && !isPassing(t) && !spec.tolerations?.some((own) => tolerates(own, t)),
      );
    if (taint === undefined) return undefined;
    return `it does not tolerate ${taint.key}${taint.value ? `=${taint.value}` : ""}:NoSchedule`;
  },
);
