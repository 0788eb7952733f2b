// The text of the ConfigMap `kube-system/cluster-autoscaler-status`: a short form of Kubernetes' cluster autoscaler's.
// It has no times of probes, so that it is written only when something changes. Pure.
import { isNodeReady, type Situation } from "./observed.ts";

export interface Activity {
  readonly scaleUp: "InProgress" | "NoActivity" | "NotNeeded";
  readonly scaleDownCandidates: number;
  /** The number of nodes the group is to have. */
  readonly target: number;
}

/** YAML with the keys of the original. */
export function statusText({ observed, nodeStates, settings }: Situation, activity: Activity): string {
  const { nodes, provided } = observed;
  const { scaleUp, scaleDownCandidates, target } = activity;
  const names = new Set(provided.map(({ name }) => name));
  const registered = nodes.filter(({ metadata }) => names.has(metadata.name));
  const ready = registered.filter(isNodeReady).length;
  const counts = [
    `total: ${registered.length}`,
    `ready: ${ready}`,
    `notStarted: ${nodeStates.coming.filter((name) => registered.some((node) => node.metadata.name === name)).length}`,
    `beingDeleted: ${nodeStates.leaving.length}`,
  ];
  const down = scaleDownCandidates > 0 ? "CandidatesPresent" : "NoCandidates";
  return [
    "autoscalerStatus: Running",
    "nodeGroups:",
    `- name: ${settings.group}`,
    "  health:",
    `    status: ${nodeStates.missing.length > 0 ? "Unhealthy" : "Healthy"}`,
    "    nodeCounts:",
    "      registered:",
    ...counts.map((count) => `        ${count}`),
    `      unregistered: ${provided.length - registered.length}`,
    `    cloudProviderTarget: ${target}`,
    `    minSize: ${provided.filter(({ added }) => !added).length}`,
    `    maxSize: ${settings.maxNodes}`,
    `  scaleUp: {status: ${scaleUp}}`,
    `  scaleDown: {status: ${down}, candidates: ${scaleDownCandidates}}`,
    "",
  ].join("\n");
}
