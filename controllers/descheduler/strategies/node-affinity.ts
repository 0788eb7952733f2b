// RemovePodsViolatingNodeAffinity: pods on nodes whose labels have changed since.
import { labelledNode, requiredMatcher } from "../../../api/core/pod/node-affinity.ts";
import { perPod } from "../strategy.ts";

export const nodeAffinity = perPod(
  {
    name: "RemovePodsViolatingNodeAffinity",
    summary: "pods whose node does not match their node selector or required node affinity",
    isDefault: true,
  },
  ({ spec }, draft) => {
    const node = draft.nodeNamed(spec.nodeName!);
    const match = requiredMatcher(spec);
    return node === undefined || match === undefined || match(labelledNode(node))
      ? undefined
      : "its node does not match its node affinity or selector";
  },
);
