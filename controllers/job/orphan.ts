// A pod with the tracking finalizer of a deleted or finished job: it is no longer counted, so it is released. Pure.
import { pods } from "../../api/core/pods.ts";
import { isActive } from "../../api/core/pod/status.ts";
import type { Job, Pod } from "../../api/generated/types.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { isManagedElsewhere } from "./decide.ts";
import { untrack } from "./manage.ts";
import { endOf } from "./conditions.ts";
import { isTracked } from "./pods.ts";

export interface Orphan {
  readonly pod: Pod;
  /** The job that controls it; undefined after its deletion. */
  readonly job: Job | "none" | "unknown";
}
/** Milliseconds between looks for a job that may not have arrived yet. */
const periodMs = 5_000;

export function decideOrphan({ pod, job }: Orphan): Decision {
  if (!isTracked(pod)) return settled;
  if (job === "unknown") return { ...settled, requeueAfter: periodMs };
  if (job === "none") return { actions: [untrack(pod)], because: ["it has no job"] };
  if (isManagedElsewhere(job) || endOf(job) === undefined) return settled;
  const because = ["its job is over"];
  // Its creation arrived after the job had ended.
  return isActive(pod)
    ? { actions: [{ do: "delete", resource: pods, object: pod }], because }
    : { actions: [untrack(pod)], because };
}
