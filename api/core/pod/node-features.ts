// Features of nodes that a pod cannot run without; nodes declare theirs in their status. Source: KEP-5328.
import type { PodSpec } from "../../generated/types.ts";
import { sameJson } from "../../hash.ts";

/** Resizing of init containers that are no sidecars. */
export const initContainerResize = "InPlacePodVerticalScalingInitContainers";
const podLevelResize = "InPlacePodLevelResourcesVerticalScaling";

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

/** The features that an update of a pod on a node needs of it, sorted. */
export function featuresOfUpdate(next: PodSpec, old: PodSpec): readonly string[] {
  const isInitResized = (old.initContainers ?? []).some(
    ({ restartPolicy, resources }, i) =>
      restartPolicy !== "Always" && !sameJson(resources, next.initContainers?.[i]?.resources),
  );
  return [
    ...(sameJson(old.resources, next.resources) ? [] : [podLevelResize]),
    ...(isInitResized ? [initContainerResize] : []),
  ];
}
