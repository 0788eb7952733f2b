// The containers of a pod's spec: which there are, and which run again after they end. Pure.
import type { Container, Pod } from "../../api/generated/types.ts";

/** An init container that stays: a sidecar. */
export const isSidecar = (c: Container): boolean => c.restartPolicy === "Always";
export const initContainersOf = (pod: Pod): readonly Container[] => pod.spec.initContainers ?? [];
/** Containers that join a pod that runs already, to look at it: never restarted, and not what the pod is about. */
export const ephemeralContainersOf = (pod: Pod): readonly Container[] => pod.spec.ephemeralContainers ?? [];
const isEphemeral = (pod: Pod, name: string): boolean => ephemeralContainersOf(pod).some((c) => c.name === name);
export const allContainersOf = (pod: Pod): readonly Container[] => [
  ...initContainersOf(pod),
  ...pod.spec.containers,
  ...ephemeralContainersOf(pod),
];
export const containerNamed = (pod: Pod, name: string): Container | undefined =>
  allContainersOf(pod).find((c) => c.name === name);

/** Whether a run that ended so is followed by another. Ordinary init containers need one success only. */
export function restarts(pod: Pod, c: Container, exitCode: number): boolean {
  if (isEphemeral(pod, c.name)) return false;
  if (isSidecar(c)) return true;
  const init = initContainersOf(pod).some((i) => i.name === c.name);
  const policy = pod.spec.restartPolicy ?? "Always";
  if (exitCode === 0 && init) return false;
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** Only what a running container cannot take on calls for a new one: its image. */
export function containerHash(c: Container): string {
  let hash = 0x811c9dc5;
  for (const char of `${c.name}\n${c.image ?? ""}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash.toString(16);
}
