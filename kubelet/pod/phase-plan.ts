// What is next for one container: the single opinion that both the actions and the status are read from. Pure.
import type { Container, Pod } from "../../api/generated/types.ts";
import { type Instant, instant } from "../../api/meta.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";
import { restartAt, stepAfter, waitMs, writtenDuration } from "./backoff.ts";
import type { PodObservation } from "./observation.ts";
import { resizeOf } from "../podspec/resize.ts";
import { containerHash, restarts } from "../podspec/containers.ts";
import { type Ended, hasEnded, runsOf } from "./runs.ts";

/** What a waiting container says of itself. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}
export type PodPhasePlan =
  | { readonly is: "running"; readonly run: RuntimeContainer; readonly resize?: boolean }
  | { readonly is: "done"; readonly run: Ended }
  | { readonly is: "start"; readonly run: RuntimeContainer }
  | { readonly is: "make"; readonly attempt: number; readonly backoff: number }
  | { readonly is: "fetch"; readonly attempt: number }
  | { readonly is: "wait"; readonly until: Instant; readonly as: Waiting; readonly tell?: "restart" | "pull" }
  | { readonly is: "stop"; readonly run: RuntimeContainer; readonly why: string; readonly graceMs?: number }
  | { readonly is: "discard"; readonly run: RuntimeContainer };

/** A failure is shown under its own name this long before it is called a back-off. */
const freshMs = 2_000;
/** What the engine has refused is asked of it again after so long. */
export const refusalRetryMs = 5_000;

function imageOutlook(o: PodObservation, c: Container, attempt: number): PodPhasePlan | undefined {
  const outcome = o.images[c.name];
  if (outcome === undefined || (outcome.is === "there" && outcome.attempt !== attempt)) return { is: "fetch", attempt };
  if (outcome.is === "there") return undefined;
  const until = instant(outcome.at + waitMs(outcome.failures));
  if (o.now >= until) return { is: "fetch", attempt };
  const fresh = outcome.at + freshMs;
  const { reason, message } = outcome;
  if (reason !== "ErrImagePull") return { is: "wait", until, as: { reason, message } };
  if (o.now < fresh) return { is: "wait", until: instant(Math.min(fresh, until)), as: { reason, message } };
  const words = `Back-off pulling image "${c.image}": ErrImagePull: ${message}`;
  return { is: "wait", until, as: { reason: "ImagePullBackOff", message: words }, tell: "pull" };
}

function restartWait(pod: Pod, o: PodObservation, c: Container, last: Ended): PodPhasePlan | undefined {
  const until = restartAt(last);
  if (o.now >= until) return undefined;
  const fresh = instant(last.status.finishedAt + freshMs);
  if (last.status.reason === "StartError" && o.now < fresh)
    return { is: "wait", until: fresh, as: { reason: "RunContainerError", message: last.status.message } };
  const { name, namespace, uid } = pod.metadata;
  const delay = writtenDuration(waitMs(stepAfter(last)));
  const message = `back-off ${delay} restarting failed container=${c.name} pod=${name}_${namespace}(${uid})`;
  return { is: "wait", until, as: { reason: "CrashLoopBackOff", message }, tell: "restart" };
}

/** Runs that the engine has forgotten but the API was told of still count. */
function firstAttempt(pod: Pod, c: Container): number {
  const told = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const before = told.find((s) => s.name === c.name);
  return before?.containerID === undefined ? 0 : before.restartCount + 1;
}

function nextRun(pod: Pod, o: PodObservation, c: Container, last: RuntimeContainer | undefined): PodPhasePlan {
  const ended = last !== undefined && hasEnded(last) ? last : undefined;
  const waits = ended && restartWait(pod, o, c, ended);
  if (waits) return waits;
  const attempt = last === undefined ? firstAttempt(pod, c) : last.attempt + 1;
  const image = imageOutlook(o, c, attempt);
  if (image) return image;
  const refusal = o.refusals[c.name];
  const retry = refusal && instant(refusal.at + refusalRetryMs);
  if (refusal && retry && o.now < retry)
    return { is: "wait", until: retry, as: { reason: refusal.reason, message: refusal.message } };
  return { is: "make", attempt, backoff: ended ? stepAfter(ended) + 1 : 0 };
}

/** `sandbox` is the running one the container belongs in. An init container of an earlier sandbox has to run again. */
export function outlook(pod: Pod, o: PodObservation, c: Container, sandbox: Sandbox): PodPhasePlan {
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
