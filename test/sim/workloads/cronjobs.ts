// Cron jobs: one for each concurrency policy, which users suspend and reschedule.
import { cronJobs } from "../../../api/batch/cronjobs.ts";
import { jobs } from "../../../api/batch/jobs.ts";
import type { CronJob, Job } from "../../../api/generated/types.ts";
import { controllerOf, type Draft, instantOf, key } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Committed, Rule } from "../judge.ts";
import { beginning } from "../virtual-clock.ts";
import { jobTemplate } from "./jobs.ts";
import { oneOf, type Workload } from "./workload.ts";

const policies = ["Forbid", "Replace", "Allow"] as const;
/** Jobs run for longer than the period, so that policies matter. */
const draft = (concurrencyPolicy: (typeof policies)[number]): Draft<CronJob> => ({
  kind: "CronJob",
  metadata: { name: concurrencyPolicy.toLowerCase(), namespace: "default" },
  spec: {
    ...{ schedule: "*/2 * * * *", concurrencyPolicy, successfulJobsHistoryLimit: 2 },
    jobTemplate: { spec: { backoffLimit: 3, template: jobTemplate(concurrencyPolicy === "Allow" ? 20 : 130) } },
  },
});

const isOver = ({ status }: Job): boolean =>
  status?.conditions?.some((c) => c.status === "True" && (c.type === "Complete" || c.type === "Failed")) === true;

const notOverlapping: Rule<Job> = {
  name: "cron job overlaps",
  kind: jobs,
  broken(job, before, committed) {
    const cronJob = job && !before ? committed.withUid(cronJobs, controllerOf(job)?.uid) : undefined;
    if (!job || cronJob?.spec.concurrencyPolicy !== "Forbid") return undefined;
    const others = committed.ownedBy(jobs, cronJob.metadata.uid).filter((j) => j !== job && !isOver(j));
    const names = others.map(({ metadata }) => metadata.name);
    return others.length > committed.late("create") ? `${job.metadata.name} beside ${names.join()}` : undefined;
  },
};

function startedOnce(): Rule<Job> {
  const started = new Set<string>();
  return {
    name: "scheduled time started twice",
    kind: jobs,
    broken(job, before, committed) {
      const cronJob = job && !before ? committed.withUid(cronJobs, controllerOf(job)?.uid) : undefined;
      if (!job || !cronJob) return undefined;
      const id = `${cronJob.metadata.uid} ${job.metadata.name}`;
      if (started.has(id)) return job.metadata.name;
      started.add(id);
      return undefined;
    },
  };
}

const listed = async (user: Client): Promise<readonly CronJob[]> =>
  (await user.list(cronJobs, { namespace: "default" })).items;
const change = (user: Client, { metadata }: CronJob, spec: object): Promise<unknown> =>
  user.patch(cronJobs, key("default", metadata.name), { type: "merge", patch: { spec } });

/** A job that was created or ended less than so long ago may not be recorded yet. */
const recentMs = 10_000;

function unsettled({ metadata, spec, status = {} }: CronJob, committed: Committed): readonly string[] {
  const { name, uid } = metadata;
  const own = committed.ownedBy(jobs, uid);
  const ageMs = (at: string | undefined): number => beginning + committed.at - (at === undefined ? 0 : instantOf(at));
  const isRecent = (job: Job): boolean =>
    ageMs(job.metadata.creationTimestamp) < recentMs || ageMs(job.status?.completionTime) < recentMs;
  const recent = own.filter(isRecent).map((job) => job.metadata.name);
  const running = own.filter((job) => !isOver(job)).map((job) => job.metadata.name);
  const active = (status.active ?? []).map((reference) => reference.name ?? "");
  const settled = (names: readonly string[]): string =>
    names
      .filter((job) => !recent.includes(job))
      .toSorted()
      .join();
  const sinceMs = beginning + committed.at - instantOf(status.lastScheduleTime ?? metadata.creationTimestamp);
  const isLate = sinceMs > 5 * 60_000 && !(spec.concurrencyPolicy === "Forbid" && running.length > 0);
  const kept = own.filter(isOver).length;
  return [
    ...(isLate ? [`${name}: nothing was started for ${sinceMs / 1000} s`] : []),
    ...(kept > 3 ? [`${name}: ${kept} jobs are kept`] : []),
    ...(settled(running) === settled(active) ? [] : [`${name}: ${running} run, ${active} are listed`]),
  ];
}

export const cronJobWorkload: Workload = {
  kinds: [cronJobs, jobs],
  async begin(user) {
    for (const policy of policies) await user.create(cronJobs, draft(policy));
  },
  async meddle(user, random) {
    const cronJob = oneOf(await listed(user), random);
    if (cronJob === undefined) return;
    const dice = random.next();
    if (dice < 0.4) await change(user, cronJob, { suspend: cronJob.spec.suspend !== true });
    else await change(user, cronJob, { schedule: dice < 0.7 ? "* * * * *" : "*/2 * * * *" });
  },
  async heal(user) {
    for (const cronJob of await listed(user)) if (cronJob.spec.suspend) await change(user, cronJob, { suspend: false });
  },
  rules: () => [notOverlapping, startedOnce()],
  unsettled: (committed) => committed.all(cronJobs).flatMap((cronJob) => unsettled(cronJob, committed)),
};
