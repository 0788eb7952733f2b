// The next step of one container; both the actions and the status derive from it. Restart back-off: none for the first
// restart, then 10 s, doubled up to 5 minutes, and reset by a run of 10 minutes. Pure.
import { type Instant, instant } from "../../api/meta.ts";
import type { Exit, RuntimeContainer, Sandbox } from "../runtime.ts";
import type { Container, Pod } from "../../api/generated/types.ts";
import type { PodObservation } from "./memory.ts";
import { resizeOf } from "../podspec/resources.ts";
import { containerHash, restarts, containerStatusesOf } from "../podspec/containers.ts";
import { type Ended, hasEnded, runsOf } from "./runs.ts";

const firstMs = 10_000;
const longestMs = 300_000;
const forgottenAfterMs = 600_000;

/** The delay of a back-off step in milliseconds; step 0 has none. */
export const waitMs = (step: number): number => (step <= 0 ? 0 : Math.min(longestMs, firstMs * 2 ** (step - 1)));

/** The back-off step of the run after this one. */
function stepAfter(run: RuntimeContainer & { readonly status: Exit }): number {
  const { startedAt, finishedAt } = run.status;
  const lasted = startedAt === undefined ? 0 : finishedAt - startedAt;
  return lasted >= forgottenAfterMs ? 0 : run.backoff;
}

/** When the run after this one may start. */
const restartAt = (run: RuntimeContainer & { readonly status: Exit }): Instant =>
  instant(run.status.finishedAt + waitMs(stepAfter(run)));

/** Formats a duration for messages, such as `1m20s`. */
function writtenDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** The waiting state of a container's status. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}
export type ContainerPlan =
  | { readonly is: "running"; readonly run: RuntimeContainer; readonly resize?: boolean }
  | { readonly is: "done"; readonly run: Ended }
  | { readonly is: "start"; readonly run: RuntimeContainer }
  | { readonly is: "make"; readonly attempt: number; readonly backoff: number }
  | { readonly is: "fetch"; readonly attempt: number }
  | { readonly is: "wait"; readonly until: Instant; readonly as: Waiting; readonly backoff?: "restart" | "pull" }
  | { readonly is: "stop"; readonly run: RuntimeContainer; readonly why: string; readonly graceMs?: number }
  | { readonly is: "discard"; readonly run: RuntimeContainer };

/** A failure keeps its own reason for this long before the reason becomes the back-off. */
const freshMs = 2_000;
/** Interval between retries of a request that the engine refused. */
export const refusalRetryMs = 5_000;

function planImage(o: PodObservation, c: Container, attempt: number): ContainerPlan | undefined {
  const outcome = o.images.get(c.name);
  if (outcome === undefined || (outcome.is === "there" && outcome.attempt !== attempt)) return { is: "fetch", attempt };
  if (outcome.is === "there") return undefined;
  const until = instant(outcome.at + waitMs(outcome.failures));
  if (o.now >= until) return { is: "fetch", attempt };
  const fresh = outcome.at + freshMs;
  const { reason, message } = outcome;
  if (reason !== "ErrImagePull") return { is: "wait", until, as: { reason, message } };
  if (o.now < fresh) return { is: "wait", until: instant(Math.min(fresh, until)), as: { reason, message } };
  const words = `Back-off pulling image "${outcome.image}": ErrImagePull: ${message}`;
  return { is: "wait", until, as: { reason: "ImagePullBackOff", message: words }, backoff: "pull" };
}

function restartWait(pod: Pod, o: PodObservation, c: Container, last: Ended): ContainerPlan | undefined {
  const until = restartAt(last);
  if (o.now >= until) return undefined;
  const fresh = instant(last.status.finishedAt + freshMs);
  if (last.status.reason === "StartError" && o.now < fresh)
    return { is: "wait", until: fresh, as: { reason: "RunContainerError", message: last.status.message } };
  const { name, namespace, uid } = pod.metadata;
  const delay = writtenDuration(waitMs(stepAfter(last)));
  const message = `back-off ${delay} restarting failed container=${c.name} pod=${name}_${namespace}(${uid})`;
  return { is: "wait", until, as: { reason: "CrashLoopBackOff", message }, backoff: "restart" };
}

/** Counts runs that the engine no longer has but a status reports. */
function firstAttempt(pod: Pod, c: Container): number {
  const before = containerStatusesOf(pod).find((s) => s.name === c.name);
  return before?.containerID === undefined ? 0 : before.restartCount + 1;
}

function nextRun(pod: Pod, o: PodObservation, c: Container, last: RuntimeContainer | undefined): ContainerPlan {
  const ended = last !== undefined && hasEnded(last) ? last : undefined;
  const waits = ended && restartWait(pod, o, c, ended);
  if (waits) return waits;
  const attempt = last === undefined ? firstAttempt(pod, c) : last.attempt + 1;
  const image = planImage(o, c, attempt);
  if (image) return image;
  const refusal = o.refusals.get(c.name);
  const retry = refusal && instant(refusal.at + refusalRetryMs);
  if (refusal && retry && o.now < retry)
    return { is: "wait", until: retry, as: { reason: refusal.reason, message: refusal.message } };
  return { is: "make", attempt, backoff: ended ? stepAfter(ended) + 1 : 0 };
}

/** `sandbox` is the pod's running one. An init container that ran in an earlier sandbox has to run again. */
export function planContainer(pod: Pod, o: PodObservation, c: Container, sandbox: Sandbox): ContainerPlan {
  const last = runsOf(o.containers, c.name)[0];
  if (last === undefined) return nextRun(pod, o, c, undefined);
  const here = last.sandboxId === sandbox.id;
  switch (last.status.state) {
    case "created":
      return here && last.hash === containerHash(c) ? { is: "start", run: last } : { is: "discard", run: last };
    case "running": {
      if (!here) return { is: "stop", run: last, why: `Stopping container ${c.name}` };
      if (last.hash !== containerHash(c))
        return { is: "stop", run: last, why: `Container ${c.name} definition changed, will be restarted` };
      const verdict = o.health[last.id]?.verdict;
      if (verdict) return { is: "stop", run: last, why: verdict.because, graceMs: verdict.graceMs };
      const resize = resizeOf(c, last);
      return resize === "restart"
        ? { is: "stop", run: last, why: `Container ${c.name} resize requires restart` }
        : { is: "running", run: last, resize: resize === "inPlace" };
    }
    default: {
      const init = pod.spec.initContainers?.includes(c) ?? false;
      if (!restarts(pod, c, last.status.exitCode) && (here || !init)) return { is: "done", run: last as Ended };
      return nextRun(pod, o, c, last);
    }
  }
}
