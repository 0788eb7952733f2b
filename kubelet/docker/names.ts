// Names and labels of the engine's containers, which hold what a restarted kubelet needs. The pod's identity is in the
// name, because a pooled sandbox can be renamed but not labelled. Pure.
import type { PodIdentity } from "../runtime.ts";

/** The node of a container; in tests several nodes share one engine. */
export const nodeLabel = "orrery.dev/node";
/** `sandbox` or `container`. */
export const kindLabel = "orrery.dev/kind";
/** The hash of the container's spec. */
export const hashLabel = "orrery.dev/hash";
/** The back-off step of the run. */
export const backoffLabel = "orrery.dev/backoff";

/** The id of the container's sandbox. */
export const sandboxLabel = "orrery.dev/sandbox";

/** The container name of sandboxes, as in dockershim and cri-dockerd. */
export const sandboxContainerName = "POD";

export interface EngineName {
  readonly pod: PodIdentity;
  readonly container: string;
  readonly attempt: number;
}

/** No part can contain an underscore, so that the name can be parsed. */
export const engineName = ({ pod, container, attempt }: EngineName): string =>
  ["k8s", container, pod.name, pod.namespace, pod.uid, attempt].join("_");

/** Parses an {@link engineName}; undefined for any other name. */
export function parseEngineName(name: string): EngineName | undefined {
  const parts = name.replace(/^\//, "").split("_");
  const [prefix, container, podName, namespace, uid, attempt] = parts;
  if (prefix !== "k8s" || parts.length !== 6 || !container || !podName || !namespace || !uid) return undefined;
  const n = Number(attempt);
  return Number.isInteger(n) ? { pod: { uid, namespace, name: podName }, container, attempt: n } : undefined;
}

/** The name of a pooled sandbox. */
export const poolName = (suffix: string): string => `orrery_pool_${suffix}`;
/** Whether this is the name of a pooled sandbox. */
export const isPoolName = (name: string): boolean => /^\/?orrery_pool_/.test(name);
