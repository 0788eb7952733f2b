// CronJob: creates jobs on a schedule.
import { cronJobs } from "../../api/batch/cronjobs.ts";
import { jobs } from "../../api/batch/jobs.ts";
import type { CronJob } from "../../api/generated/types.ts";
import { type Instant, key } from "../../api/meta.ts";
import { type Controller, controller } from "../../machinery/controller.ts";
import { decide, type Observed } from "./decide.ts";

/** A schedule as this process first saw it, and when. */
interface Known {
  readonly schedule: string;
  /** Undefined for the schedule that was there at the start. */
  readonly changedAt: Instant | undefined;
}

export function cronJobController(): Controller<Observed> {
  const known = new Map<string, Known>();
  const changedAt = ({ metadata, spec }: CronJob, now: Instant): Instant | undefined => {
    const schedule = `${spec.timeZone ?? ""} ${spec.schedule}`;
    const before = known.get(metadata.uid);
    if (before?.schedule === schedule) return before.changedAt;
    const changed = before === undefined ? undefined : now;
    known.set(metadata.uid, { schedule, changedAt: changed });
    return changed;
  };
  return controller({
    name: "cronjob",
    reconciles: cronJobs,
    owns: [jobs],
    keysOf(cronJob, { type }) {
      if (type === "deleted") known.delete(cronJob.metadata.uid);
      return [key(cronJob.metadata.namespace, cronJob.metadata.name)];
    },
    writes: [{ kind: cronJobs, subresource: "status", verbs: ["update"] }],
    observe(views, k, now) {
      const cronJob = views.of(cronJobs).get(k);
      if (cronJob === undefined) return undefined;
      const { namespace } = cronJob.metadata;
      return {
        cronJob,
        jobs: views.childrenOf(jobs, cronJob),
        isTaken: (name) => views.of(jobs).get(key(namespace, name)) !== undefined,
        changedAt: changedAt(cronJob, now),
      };
    },
    decide,
  });
}
