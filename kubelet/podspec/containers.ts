// The containers of a pod's spec: which there are, and which run again after they end. Pure.
import type { Container, ContainerStatus, Pod } from "../../api/generated/types.ts";

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
/** The reported statuses of all containers. */
export const containerStatusesOf = ({ status = {} }: Pod): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
  ...(status.ephemeralContainerStatuses ?? []),
];
export const containerNamed = (pod: Pod, name: string): Container | undefined =>
  allContainersOf(pod).find((c) => c.name === name);

/** Whether the container runs again after this exit code. */
export function restarts(pod: Pod, c: Container, exitCode: number): boolean {
  if (isEphemeral(pod, c.name)) return false;
  if (isSidecar(c)) return true;
  const init = initContainersOf(pod).some((i) => i.name === c.name);
  const policy = pod.spec.restartPolicy ?? "Always";
  if (exitCode === 0 && init) return false;
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
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
