// The containers of a pod's spec: which there are, and which run again after they end. Pure.
import type { Container, ContainerStatus, Pod, Volume, VolumeMount } from "../../api/generated/types.ts";
import { restartsAfter } from "../../api/core/pod/containers.ts";

/** Sidecars are init containers that keep running (KEP-753). */
export const isSidecar = (c: Container): boolean => c.restartPolicy === "Always";
export const initContainersOf = (pod: Pod): readonly Container[] => pod.spec.initContainers ?? [];
/** Ephemeral containers are for debugging: they are never restarted and do not count for the pod's phase. */
export const ephemeralContainersOf = (pod: Pod): readonly Container[] => pod.spec.ephemeralContainers ?? [];
const isEphemeral = (pod: Pod, name: string): boolean => ephemeralContainersOf(pod).some((c) => c.name === name);
export const allContainersOf = (pod: Pod): readonly Container[] => [
  ...initContainersOf(pod),
  ...pod.spec.containers,
  ...ephemeralContainersOf(pod),
];
/** The volumes that containers use; others are not made. */
export function usedVolumesOf(pod: Pod): readonly Volume[] {
  const uses = allContainersOf(pod).flatMap((c) => [...(c.volumeMounts ?? []), ...(c.volumeDevices ?? [])]);
  const names = new Set(uses.map(({ name }) => name));
  return (pod.spec.volumes ?? []).filter(({ name }) => names.has(name));
}
/** The volumes with the files of images that a container mounts (KEP-4639). */
export function imageVolumesOf(pod: Pod, c: Container): readonly Volume[] {
  const names = new Set((c.volumeMounts ?? []).map(({ name }) => name));
  return (pod.spec.volumes ?? []).filter((v) => v.image !== undefined && names.has(v.name));
}
/** The reported statuses of all containers. */
export const containerStatusesOf = ({ status = {} }: Pod): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
  ...(status.ephemeralContainerStatuses ?? []),
];
export const containerNamed = (pod: Pod, name: string): Container | undefined =>
  allContainersOf(pod).find((c) => c.name === name);

/** Whether a mount is recursively read-only; undefined when it has to be, and the engine cannot make it (KEP-3857). */
export function isRecursivelyReadOnly({ recursiveReadOnly }: VolumeMount, isSupported: boolean): boolean | undefined {
  if (recursiveReadOnly === "Enabled") return isSupported || undefined;
  return recursiveReadOnly === "IfPossible" && isSupported;
}

/** Whether the container runs again after this exit code. An init container that has succeeded is done. */
export function restarts(pod: Pod, c: Container, exitCode: number): boolean {
  if (isEphemeral(pod, c.name)) return false;
  const init = initContainersOf(pod).some((i) => i.name === c.name);
  if (exitCode === 0 && init && !isSidecar(c)) return false;
  return restartsAfter(c, pod.spec, exitCode);
}

/** Hash of what a running container cannot change: its image. Another hash requires a new container. */
export function containerHash(c: Container): string {
  let hash = 0x811c9dc5;
  for (const char of `${c.name}\n${c.image ?? ""}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash.toString(16);
}

/** The field path of an event about a container. */
export function fieldPath(pod: Pod, container: string): string {
  const among = (all: readonly Container[] | undefined): boolean => all?.some((c) => c.name === container) ?? false;
  const { initContainers, ephemeralContainers } = pod.spec;
  const list = among(initContainers) ? "initContainers" : among(ephemeralContainers) ? "ephemeralContainers" : "";
  return `spec.${list || "containers"}{${container}}`;
}
