// The pod, container and node that a log or session request is for. Pure.
import { ApiError } from "../../api/errors.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { ResourcePath } from "../request/path.ts";

/** The path of a part of one pod. */
export type PodPath = ResourcePath & { readonly name: string; readonly namespace: string };
export const ofPod = (path: ResourcePath | undefined): path is PodPath =>
  path?.group === "" && path.plural === "pods" && path.name !== undefined && path.namespace !== undefined;

/** The container that is meant: the one named, or the only one there is. */
export function containerIn(pod: Pod, named: string | null): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all = [...initContainers, ...containers, ...ephemeralContainers].map((c) => c.name);
  const { name } = pod.metadata;
  if (named) {
    if (!all.includes(named)) throw new ApiError("BadRequest", `container ${named} is not valid for pod ${name}`);
    return named;
  }
  if (containers.length === 1) return containers[0]!.name;
  throw new ApiError(
    "BadRequest",
    `a container name must be specified for pod ${name}, choose one of: [${all.join(" ")}]`,
  );
}

/** The node that runs it; there is nobody to talk to before there is one. */
export function hostOf(pod: Pod): string {
  if (!pod.spec.nodeName) throw new ApiError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
  return pod.spec.nodeName;
}
