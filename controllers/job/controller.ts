// Job: runs pods until enough of them have succeeded. One controller runs the jobs, another releases pods whose job
// was deleted or has finished.
import { jobs } from "../../api/batch/jobs.ts";
import { pods } from "../../api/core/pods.ts";
import type { Job, Pod } from "../../api/generated/types.ts";
import { controllerOf, type Instant, key, keyOf, revisionOf } from "../../api/meta.ts";
import { type Controller, controller, type KeysOf, type Views, watch } from "../../machinery/controller.ts";
import { decide, type Observed } from "./decide.ts";
import { decideOrphan, type Orphan } from "./orphan.ts";
import { endOf } from "./conditions.ts";
import { endedAt, isSucceeded, isTracked } from "./pods.ts";

/** When pods ended that are deleted, by uid: they count for the back-off after they are gone. */
type Deleted = Map<string, Instant>;

function remember(deleted: Map<string, Deleted>, job: Job, children: readonly Pod[]): readonly Instant[] {
  const { uid } = job.metadata;
  const ends = deleted.get(uid) ?? new Map<string, Instant>();
  for (const pod of children)
    if (isTracked(pod) && pod.metadata.deletionTimestamp && !isSucceeded(pod)) ends.set(pod.metadata.uid, endedAt(pod));
  if (ends.size > 0 && endOf(job) === undefined) deleted.set(uid, ends);
  else deleted.delete(uid);
  return [...ends.values()];
}

/** Runs jobs. */
export function jobController(): Controller<Observed> {
  const deleted = new Map<string, Deleted>();
  const keysOf: KeysOf<Job> = (job, { type }) => {
    if (type === "deleted") deleted.delete(job.metadata.uid);
    return [keyOf(job)];
  };
  return controller({
    name: "job",
    reconciles: jobs,
    owns: [pods],
    selectorOf: (job) => job.spec.selector,
    keysOf,
    writes: [{ kind: jobs, subresource: "status", verbs: ["update"] }],
    observe(views, k) {
      const job = views.of(jobs).get(k);
      if (job === undefined) return undefined;
      const children = views.childrenOf(pods, job, job.spec.selector);
      return {
        job,
        pods: children,
        isTaken: (name) => views.of(pods).get(key(job.metadata.namespace, name)) !== undefined,
        deletions: views.deletionsOf(job),
        deletedAt: remember(deleted, job, children),
      };
    },
    decide,
  });
}

/** The number of the latest deletions of jobs that are kept. */
const rememberedDeletions = 10_000;

/** Releases pods that their job no longer counts. */
export function orphanedPodController(): Controller<Orphan> {
  const gone = new Set<string>();
  /** A view of jobs may be behind that of pods: a job that is not there may not have arrived yet. */
  const isGone = (uid: string, pod: Pod, views: Views): boolean =>
    gone.has(uid) || views.of(jobs).revision >= revisionOf(pod);
  return controller<Pod, Orphan>({
    ...{ name: "job-orphaned-pods", account: "job-controller" },
    reconciles: pods,
    indexes: { job: (pod) => (isTracked(pod) ? [controllerOf(pod)?.uid ?? ""] : []) },
    keysOf: (pod) => (isTracked(pod) ? [keyOf(pod)] : []),
    watches: [
      watch(jobs, (job, { type, views }) => {
        const { uid } = job.metadata;
        if (type === "deleted") gone.add(uid);
        if (gone.size > rememberedDeletions) gone.delete(gone.keys().next().value!);
        return type === "deleted" || endOf(job) ? views.of(pods).byIndex("job", uid).map(keyOf) : [];
      }),
    ],
    writes: [{ kind: pods, verbs: ["delete", "patch"] }],
    observe(views, k) {
      const pod = views.of(pods).get(k);
      const owner = pod && controllerOf(pod);
      if (pod === undefined || owner === undefined) return pod && { pod, job: "none" };
      if (owner.kind !== "Job") return undefined;
      const job = views.of(jobs).get(key(pod.metadata.namespace, owner.name));
      if (job?.metadata.uid === owner.uid) return { pod, job };
      return { pod, job: isGone(owner.uid, pod, views) ? "none" : "unknown" };
    },
    decide: decideOrphan,
  });
}
