// How a pod's identity is written into engine names and labels, so that a restarted kubelet finds everything by
// listing. Pure. The name says whose it is (a pooled sandbox is renamed when it is given to a pod); labels say the
// rest.
import type { PodIdentity } from "../runtime.ts";

/** Whose node an engine object belongs to; several nodes may share one engine in tests. */
export const nodeLabel = "orrery.dev/node";
/** What an engine object is: `sandbox` or `container`. */
export const kindLabel = "orrery.dev/kind";
/** The hash of what a container was made from. */
export const hashLabel = "orrery.dev/hash";
/** The back-off step a container was started at. */
export const backoffLabel = "orrery.dev/backoff";

/** The sandbox a container was made in. */
export const sandboxLabel = "orrery.dev/sandbox";

/** The name Kubernetes' own Docker adapters give a sandbox's container. */
export const sandboxContainerName = "POD";

export interface EngineName {
  readonly pod: PodIdentity;
  readonly container: string;
  readonly attempt: number;
}

/** None of the parts can hold an underscore, so splitting undoes this. */
export const engineName = ({ pod, container, attempt }: EngineName): string =>
  ["k8s", container, pod.name, pod.namespace, pod.uid, attempt].join("_");

/** Undo {@link engineName}; undefined for a name that is not a pod's. */
export function parseEngineName(name: string): EngineName | undefined {
  const parts = name.replace(/^\//, "").split("_");
  const [prefix, container, podName, namespace, uid, attempt] = parts;
  if (prefix !== "k8s" || parts.length !== 6 || !container || !podName || !namespace || !uid) return undefined;
  const n = Number(attempt);
  return Number.isInteger(n) ? { pod: { uid, namespace, name: podName }, container, attempt: n } : undefined;
}

/** A sandbox that waits for a pod. */
export const poolName = (suffix: string): string => `orrery_pool_${suffix}`;
/** Is this sandbox still waiting for a pod? */
export const isPoolName = (name: string): boolean => /^\/?orrery_pool_/.test(name);
