// Whether a pod is as desired, from its status alone. Pure.
import { isReady } from "../../../api/core/pod/status.ts";
import type { Pod } from "../../../api/generated/types.ts";

/** Ready or succeeded, and not being deleted. */
export const isAsDesired = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined && (pod.status?.phase === "Succeeded" || isReady(pod));
