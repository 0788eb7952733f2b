// Features of nodes that a pod cannot run without; nodes declare theirs in their status. Source: KEP-5328.
import type { PodSpec } from "../../generated/types.ts";

/** The names of the features, sorted. */
export function requiredNodeFeatures({
  containers,
  initContainers = [],
  hostNetwork,
  hostUsers,
}: PodSpec): readonly string[] {
  const rules = [...containers, ...initContainers].flatMap(({ restartPolicyRules = [] }) => restartPolicyRules);
  return [
    ...(rules.some(({ action }) => action === "RestartAllContainers") ? ["RestartAllContainersOnContainerExits"] : []),
    ...(hostNetwork === true && hostUsers === false ? ["UserNamespacesHostNetworkSupport"] : []),
  ];
}
