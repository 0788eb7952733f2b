// Jobs: with and without indexes, which users suspend, resize, delete and add to.
import { jobs } from "../../../api/batch/jobs.ts";
import { isActive, isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Job, Pod } from "../../../api/generated/types.ts";
import { controllerOf, type Draft, key } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Random } from "../../../machinery/world.ts";
import type { Committed, Rule } from "../judge.ts";
import { runAnnotation } from "../node-agent.ts";
import { oneOf, type Workload } from "./workload.ts";

const finalizer = "batch.kubernetes.io/job-tracking";
const isTracked = (pod: Pod | undefined): boolean => pod?.metadata.finalizers?.includes(finalizer) === true;
const indexOf = ({ metadata }: Pod): number =>
  Number(metadata.annotations?.["batch.kubernetes.io/job-completion-index"] ?? -1);
const holds = (job: Job | undefined, ...types: readonly string[]): boolean =>
  job?.status?.conditions?.some((c) => c.status === "True" && types.includes(c.type)) === true;
const isOver = (job: Job): boolean => holds(job, "Complete", "Failed");

/** The template of a job whose pods run for so many seconds. */
export const jobTemplate = (seconds: number) => ({
  metadata: { annotations: { [runAnnotation]: String(seconds) } },
  spec: {
    restartPolicy: "Never" as const,
    containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: "50m" } } }],
  },
});
const draft = (name: string, spec: Omit<Job["spec"], "template">, seconds: number): Draft<Job> => ({
  kind: "Job",
  metadata: { name, namespace: "default", labels: { user: "true" } },
  spec: { backoffLimit: 100, ...spec, template: jobTemplate(seconds) },
});

/** A job as a user makes one. */
function anyJob(name: string, random: Random): Draft<Job> {
  const completions = 1 + Math.floor(random.next() * 6);
  const parallelism = 1 + Math.floor(random.next() * 3);
  const isIndexed = random.next() < 0.5;
  const podReplacementPolicy = random.next() < 0.3 ? "Failed" : "TerminatingOrFailed";
  const spec = { completions, parallelism, podReplacementPolicy } as const;
  const limits = random.next() < 0.5 ? { backoffLimitPerIndex: 1 + Math.floor(random.next() * 2) } : {};
  const seconds = 5 + Math.floor(random.next() * 15);
  return draft(name, isIndexed ? { ...spec, completionMode: "Indexed", ...limits } : spec, seconds);
}

/** The indexes in a text such as `0,2-4`. */
const indexesIn = (text = ""): readonly number[] =>
  (text === "" ? [] : text.split(",")).flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });

type End = "succeeded" | "failed";
const uncounted = (job: Job | undefined, end: End): readonly string[] =>
  job?.status?.uncountedTerminatedPods?.[end] ?? [];

/** Every end enters the counters once: as a uid that comes and goes, or as an index. */
function countedOnce(parallelismBefore: Map<string, number>): Rule<Job> {
  const counted = new Set<string>();
  const wrongEnd = (job: Job, before: Job | undefined, end: End): string | undefined => {
    const [now, then] = [uncounted(job, end), uncounted(before, end)];
    const again = now.find((uid) => !then.includes(uid) && counted.has(uid));
    if (again !== undefined) return `${end} pod ${again} counts again`;
    for (const uid of now) counted.add(uid);
    const left = then.filter((uid) => !now.includes(uid)).length;
    const added = (job.status?.[end] ?? 0) - (before?.status?.[end] ?? 0);
    const isIndexed = end === "succeeded" && job.spec.completionMode === "Indexed";
    return added === left || isIndexed ? undefined : `${added} more ${end} of ${left} pods`;
  };
  return {
    name: "job counted wrongly",
    kind: jobs,
    broken(job, before, committed) {
      if (job === undefined) return undefined;
      if (before) parallelismBefore.set(job.metadata.uid, before.spec.parallelism ?? 1);
      const now = indexesIn(job.status?.completedIndexes);
      const then = indexesIn(before?.status?.completedIndexes);
      const succeeded = committed.ownedBy(pods, job.metadata.uid).filter((p) => p.status?.phase === "Succeeded");
      const unproven = now.find((i) => !then.includes(i) && !succeeded.some((p) => isTracked(p) && indexOf(p) === i));
      const lost = then.find((i) => !now.includes(i));
      const wrong =
        wrongEnd(job, before, "succeeded") ??
        wrongEnd(job, before, "failed") ??
        (unproven === undefined ? undefined : `index ${unproven} is complete without a pod`) ??
        (lost === undefined ? undefined : `index ${lost} is not complete any more`);
      return wrong && `${job.metadata.name}: ${wrong}`;
    },
  };
}

/** A pod that has ended is let go only once its job has noted how, unless the job is decided or being deleted. */
const notedFirst: Rule<Pod> = {
  name: "end of a job's pod lost",
  kind: pods,
  broken(pod, before, committed) {
    if (before === undefined || !isTracked(before) || isTracked(pod) || !isTerminal(before)) return undefined;
    const job = committed.withUid(jobs, controllerOf(before)?.uid);
    if (!job || job.metadata.deletionTimestamp || holds(job, "SuccessCriteriaMet", "FailureTarget")) return undefined;
    const { uid, name } = before.metadata;
    const isIndexNoted = indexesIn(job.status?.completedIndexes).includes(indexOf(before));
    const isNoted = isIndexNoted || uncounted(job, "succeeded").includes(uid) || uncounted(job, "failed").includes(uid);
    return isNoted ? undefined : `${name} ended as ${before.status?.phase}`;
  },
};

/** A decision made on the parallelism just before may still be on its way. */
function notTooMany(parallelismBefore: ReadonlyMap<string, number>): Rule<Pod> {
  return {
    name: "too many pods of a job",
    kind: pods,
    broken(pod, before, committed) {
      const job = pod && !before ? committed.withUid(jobs, controllerOf(pod)?.uid) : undefined;
      if (!pod || !job) return undefined;
      const active = committed.ownedBy(pods, job.metadata.uid).filter(isActive);
      const same = active.filter((p) => p.metadata.uid !== pod.metadata.uid && indexOf(p) === indexOf(pod));
      const isRepeated = indexOf(pod) >= 0 && same.length > committed.late("create");
      const parallelism = Math.max(job.spec.parallelism ?? 1, parallelismBefore.get(job.metadata.uid) ?? 0);
      const excess = active.length - parallelism;
      if (isRepeated) return `${job.metadata.name}: index ${indexOf(pod)} runs ${same.length + 1} times`;
      return excess > committed.late("create") ? `${job.metadata.name}: ${active.length} pods` : undefined;
    },
  };
}

const change = (user: Client, job: Job, spec: object): Promise<unknown> =>
  user.patch(jobs, key("default", job.metadata.name), { type: "merge", patch: { spec } });
const listed = async (user: Client): Promise<readonly Job[]> =>
  (await user.list(jobs, { namespace: "default", labelSelector: "user=true" })).items;

/** Why a job that is not over is not well: it has nothing to wait for, or its pods do not end. */
function stuck(job: Job, committed: Committed): string | undefined {
  const { uid, name } = job.metadata;
  const children = committed.ownedBy(pods, uid);
  if (isOver(job)) {
    const left = children.filter((p) => isActive(p) || isTracked(p)).length;
    return left > 0 ? `${name}: over, with ${left} pods left` : undefined;
  }
  // The back-off of failures can be longer than the peace.
  const hasActive = children.some(isActive);
  const mayWait = (job.status?.failed ?? 0) > 2;
  return hasActive || mayWait ? undefined : `${name}: not over, and no pod is active`;
}

export const jobWorkload: Workload = {
  kinds: [jobs],
  async begin(user) {
    await user.create(jobs, draft("plain", { completions: 8, parallelism: 2 }, 15));
    await user.create(jobs, draft("indexed", { completions: 6, parallelism: 3, completionMode: "Indexed" }, 20));
  },
  async meddle(user, random) {
    const all = await listed(user);
    const job = oneOf(
      all.filter((j) => !isOver(j)),
      random,
    );
    const dice = random.next();
    if (job === undefined || dice < 0.4)
      await user.create(jobs, anyJob(`job-${Math.floor(random.next() * 1e6)}`, random));
    else if (dice < 0.6) await change(user, job, { suspend: job.spec.suspend !== true });
    else if (dice < 0.85) await change(user, job, { parallelism: Math.floor(random.next() * 4) });
    else {
      const propagationPolicy = oneOf(["Background", "Foreground", "Orphan"] as const, random)!;
      await user.delete(jobs, key("default", job.metadata.name), { propagationPolicy });
    }
  },
  async heal(user) {
    for (const job of await listed(user))
      if (!isOver(job))
        await change(user, job, { suspend: false, parallelism: Math.max(2, job.spec.parallelism ?? 1) });
  },
  rules() {
    const parallelismBefore = new Map<string, number>();
    return [countedOnce(parallelismBefore), notedFirst, notTooMany(parallelismBefore)];
  },
  unsettled(committed) {
    const orphans = committed
      .all(pods)
      .filter((p) => isTracked(p) && committed.withUid(jobs, controllerOf(p)?.uid) === undefined);
    return [
      ...committed.all(jobs).flatMap((job) => stuck(job, committed) ?? []),
      ...orphans.map(({ metadata }) => `${metadata.name}: tracked by no job`),
    ];
  },
};
