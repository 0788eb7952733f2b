// TTL after finished: deletes a job, with its pods, some time after it is over. Source: KEP-592.
import { jobs } from "../../api/batch/jobs.ts";
import type { Job } from "../../api/generated/types.ts";
import { type Instant, instantOf, timestamp } from "../../api/meta.ts";
import { controller, type Decision, settled } from "../../machinery/controller.ts";

/** When a job ended. */
function endedAt({ status }: Job): Instant | undefined {
  const end = status?.conditions?.find((c) => (c.type === "Complete" || c.type === "Failed") && c.status === "True");
  return end?.lastTransitionTime === undefined ? undefined : instantOf(end.lastTransitionTime);
}

export function decide(job: Job, now: Instant): Decision {
  const ended = endedAt(job);
  const { ttlSecondsAfterFinished: ttl } = job.spec;
  if (ended === undefined || ttl === undefined || job.metadata.deletionTimestamp !== undefined) return settled;
  const leftMs = ended + ttl * 1000 - now;
  if (leftMs > 0) return { actions: [], requeueAfter: leftMs };
  // Of exactly this version: its time to live may just have been raised.
  const { resourceVersion } = job.metadata;
  return {
    actions: [
      { do: "delete", resource: jobs, object: job, options: { propagationPolicy: "Foreground", resourceVersion } },
    ],
    because: [`it is over since ${timestamp(ended)}, and was kept for ${ttl} s`],
  };
}

export const ttlAfterFinishedController = controller({
  name: "ttl-after-finished",
  reconciles: jobs,
  writes: [{ kind: jobs, verbs: ["delete"] }],
  observe: (views, k) => views.of(jobs).get(k),
  decide,
});
