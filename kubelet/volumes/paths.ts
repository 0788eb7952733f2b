// Where the volumes of pods are on the node, in the layout of Kubernetes' kubelet.
import { join } from "node:path";
import type { Volume } from "../../api/generated/types.ts";

/** The folder of everything that the node keeps for a pod. */
export const podFolder = (stateDir: string, podUid: string): string => join(stateDir, "pods", podUid);

const folders: Readonly<Record<string, string>> = {
  emptyDir: "kubernetes.io~empty-dir",
  image: "kubernetes.io~image",
  configMap: "kubernetes.io~configmap",
  secret: "kubernetes.io~secret",
  downwardAPI: "kubernetes.io~downward-api",
  projected: "kubernetes.io~projected",
};
const folderFor = (v: Volume): string | undefined =>
  Object.entries(folders).find(([kind]) => v[kind as keyof Volume] !== undefined)?.[1];

/** The path of a volume that the pod's spec describes; undefined for an unsupported type of volume. */
export function volumePath(stateDir: string, podUid: string, v: Volume): string | undefined {
  if (v.hostPath) return v.hostPath.path;
  const folder = folderFor(v);
  return folder === undefined ? undefined : join(podFolder(stateDir, podUid), "volumes", folder, v.name);
}
