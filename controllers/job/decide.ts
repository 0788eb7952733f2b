// The next step of a job: claim pods, create and delete them, write the status, and only then release ended pods.
// Pure.
import { jobs } from "../../api/batch/jobs.ts";
import { pods as podKind } from "../../api/core/pods.ts";
import type { Job, JobStatus, Pod } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import type { Draft, Instant } from "../../api/meta.ts";
import { type Action, failedCreate, recordEvent, statusTo } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { claim } from "../../machinery/selector-index.ts";
import { type Changes, manage, untrack } from "./manage.ts";
import type { Names } from "./new-pod.ts";
import { endOf, isSuspended, type Outcome } from "./conditions.ts";
import { completed, deadlineIn, isComplete, outcomeOf } from "./outcome.ts";
import { isTracked, trackingFinalizer } from "./pods.ts";
import { account, type Accounted, afterwards } from "./status.ts";
import { tally, type Tally } from "./tally.ts";

export interface Observed extends Names {
  /** Pods it controls, and uncontrolled ones that its selector matches. */
  readonly pods: readonly Pod[];
  /** When pods ended that were deleted before they could, as far as this process knows. */
  readonly deletedAt: readonly Instant[];
}

/** The value of `managedBy` that means this controller. */
const ownName = "kubernetes.io/job-controller";
/** Another controller runs the job. Source: KEP-4368. */
export const isManagedElsewhere = ({ spec }: Job): boolean => (spec.managedBy ?? ownName) !== ownName;

interface Step extends Changes {
  readonly outcome: Outcome | undefined;
  /** Active pods that are deleted now. */
  readonly deleted: readonly Pod[];
}

/** A decided job deletes its active pods; another one manages them, and may be complete by that. */
function stepOf(counted: Tally, observed: Observed, now: Instant): Step {
  const outcome = outcomeOf(counted, now);
  if (outcome) return { outcome, created: [], surplus: [], deleted: counted.active };
  const isDeleted = counted.job.metadata.deletionTimestamp !== undefined;
  const changes: Changes = isDeleted
    ? { created: [], surplus: [] }
    : manage(counted, observed, observed.deletedAt, now);
  // A surplus pod loses its finalizer first, so that its end does not count as a failure.
  const deleted = changes.surplus.filter((pod) => !isTracked(pod));
  const { active } = afterwards(counted, deleted, changes.created.length);
  return { ...changes, deleted, outcome: isComplete(counted, active) ? completed : undefined };
}

function changeEvents(job: Job, before: JobStatus, after: JobStatus): readonly Action[] {
  const stateOf = (status: JobStatus, type: string): string | undefined =>
    status.conditions?.find((c) => c.type === type)?.status;
  const became = (type: string, state: string): boolean =>
    stateOf(after, type) === state && stateOf(before, type) !== state;
  const failed = after.conditions?.find((c) => c.type === "Failed");
  const isExceeded = (after.succeeded ?? 0) > (job.spec.completions ?? Number.POSITIVE_INFINITY);
  const tooMany = "Too many succeeded pods running after completion count reached";
  return [
    ...(became("Suspended", "True") ? [recordEvent(job, "Normal", "Suspended", "Job suspended")] : []),
    ...(became("Suspended", "False") ? [recordEvent(job, "Normal", "Resumed", "Job resumed")] : []),
    ...(became("Complete", "True") && isExceeded ? [recordEvent(job, "Warning", "TooManySucceededPods", tooMany)] : []),
    ...(became("Complete", "True") ? [recordEvent(job, "Normal", "Completed", "Job completed")] : []),
    ...(failed && became("Failed", "True") ? [recordEvent(job, "Warning", failed.reason!, failed.message!)] : []),
  ];
}

/** Writes the status, or releases the ended pods that it counts already: it counts them before their finalizers go. */
function record(job: Job, { surplus }: Step, { status, accounted }: Accounted): readonly Action[] {
  if (!sameJson(status, job.status)) return statusTo(jobs, job, status);
  return accounted.filter((pod) => !surplus.includes(pod)).map(untrack);
}

/** `accountWith` is the account when this number of the created pods exists. */
function actionsOf(job: Job, step: Step, accountWith: (created: number) => Accounted): readonly Action[] {
  const { created, surplus, deleted } = step;
  // What has ended is counted and released also while the server refuses new pods, as in a namespace that is deleted.
  const create = (draft: Draft<Pod>, i: number): Action => ({
    ...{ do: "create", resource: podKind, draft },
    refused: (message) => [...failedCreate(job)(message), ...record(job, step, accountWith(i))],
  });
  const accounted = accountWith(created.length);
  return [
    ...created.map(create),
    ...surplus.filter(isTracked).map(untrack),
    ...deleted.map((object) => ({ do: "delete", resource: podKind, object }) as const),
    ...record(job, step, accounted),
    ...created.map(({ metadata }) => recordEvent(job, "Normal", "SuccessfulCreate", `Created pod: ${metadata.name}`)),
    ...deleted.map(({ metadata }) => recordEvent(job, "Normal", "SuccessfulDelete", `Deleted pod: ${metadata.name}`)),
    ...changeEvents(job, job.status ?? {}, accounted.status),
  ];
}

function reasons({ job, active, terminating, succeeded, failed }: Tally, { outcome, waitMs }: Step): readonly string[] {
  const { completions = "any" } = job.spec;
  return [
    `${succeeded} of ${completions} succeeded, ${failed} failed, ${active.length} active, ${terminating.length} terminating`,
    ...(outcome ? [`${outcome.type}: ${outcome.message}`] : []),
    ...(isSuspended(job) ? ["it is suspended"] : []),
    ...(waitMs === undefined ? [] : [`the next pod is created in ${waitMs} ms, after failures`]),
  ];
}

export function decide(observed: Observed, now: Instant): Decision {
  const { job } = observed;
  if (isManagedElsewhere(job)) return { ...settled, because: [`it is managed by ${job.spec.managedBy}`] };
  const end = endOf(job);
  if (end) return { ...settled, because: [`it is over: ${end.type}`] };
  const owner = { kind: jobs, object: job, selector: job.spec.selector, finalizer: trackingFinalizer };
  const claims = claim(owner, podKind, observed.pods);
  // Claims are a decision of their own: the next one uses the pods after them.
  if (claims.actions.length > 0) return { actions: claims.actions, because: ["pods are adopted or released first"] };
  const counted = tally(job, claims.owned);
  const step = stepOf(counted, observed, now);
  const accountWith = (created: number): Accounted =>
    account(counted, { ...afterwards(counted, step.deleted, created), outcome: step.outcome }, now);
  const { status } = accountWith(step.created.length);
  const deadlineMs = step.outcome === undefined ? deadlineIn({ ...job, status }, now) : undefined;
  const waits = [step.waitMs, deadlineMs].filter((ms) => ms !== undefined);
  return {
    actions: actionsOf(job, step, accountWith),
    because: reasons(counted, step),
    ...(waits.length > 0 && { requeueAfter: Math.max(1, Math.min(...waits)) }),
  };
}
