// The way out: containers are asked to stop, then made to; sidecars last; then the traces go, and at the very end the
// object. Pure.
import type { Pod } from "../../api/generated/types.ts";
import { type Instant, instant, instantOf } from "../../api/meta.ts";
import type { RuntimeContainer } from "../runtime.ts";
import type { PodAction, PodDecision } from "./actions.ts";
import type { PodObservation } from "./observation.ts";
import { initContainersOf, isSidecar } from "../podspec/containers.ts";
import { isRunning } from "./runs.ts";

/** Even a pod that is to go at once gets this long to notice. */
const leastGraceMs = 1_000;

/** When an active pod has been active for too long. */
export function deadlineOf(pod: Pod): Instant | undefined {
  const { activeDeadlineSeconds } = pod.spec;
  const since = pod.status?.startTime;
  return activeDeadlineSeconds === undefined || since === undefined
    ? undefined
    : instant(instantOf(since) + activeDeadlineSeconds * 1_000);
}
export const isPastDeadline = (pod: Pod, now: Instant): boolean => {
  const deadline = deadlineOf(pod);
  return deadline !== undefined && now >= deadline;
};

/** Someone or something other than its own containers ends this pod. */
export const mustEnd = (pod: Pod, o: PodObservation): boolean =>
  o.gone || pod.metadata.deletionTimestamp !== undefined || o.rejection !== undefined || isPastDeadline(pod, o.now);

function grace(o: PodObservation): { readonly graceMs: number; readonly deadline: string } {
  const { pod } = o;
  if (pod === undefined || o.gone) return { graceMs: leastGraceMs, deadline: "gone" };
  const deadline = pod.metadata.deletionTimestamp;
  if (deadline === undefined)
    return { graceMs: (pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000, deadline: "ended" };
  // What is left of it, for a kubelet that was restarted meanwhile must not begin anew.
  const whole = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1_000;
  const left = instantOf(deadline) + leastGraceMs - o.now;
  return { graceMs: Math.max(leastGraceMs, Math.min(whole, left)), deadline };
}

/** All ordinary containers at once; then the sidecars that served them, the last started first. */
function nextToStop(o: PodObservation): readonly RuntimeContainer[] {
  const running = o.containers.filter(isRunning);
  const sidecars = o.pod === undefined ? [] : initContainersOf(o.pod).filter(isSidecar).toReversed();
  const others = running.filter((r) => !sidecars.some((s) => s.name === r.name));
  if (others.length > 0) return others;
  const last = sidecars.find((s) => running.some((r) => r.name === s.name));
  return running.filter((r) => r.name === last?.name);
}

const removeAll = (things: readonly { readonly id: string }[]): readonly PodAction[] =>
  things.map((t) => ({ do: "remove", id: t.id }));

/**
 * Ends what runs, then clears up: everything once the object is to go, only the sandbox while its logs are still
 * wanted.
 */
export function decideEnd(o: PodObservation): PodDecision {
  const stopping = nextToStop(o);
  if (stopping.length > 0) {
    const { graceMs, deadline } = grace(o);
    return {
      actions: stopping.map((r) => ({
        do: "stop",
        container: r.name,
        id: r.id,
        graceMs,
        deadline,
        why: `Stopping container ${r.name}`,
      })),
    };
  }
  if (o.sandboxes.length > 0) return { actions: removeAll(o.sandboxes) };
  const leaves = o.gone || o.pod === undefined || o.pod.metadata.deletionTimestamp !== undefined;
  // The status is computed from what the engine still has, so it must be told before that goes.
  if (!leaves || !(o.reported || o.gone || o.pod === undefined)) return { actions: [] };
  if (o.containers.length > 0) return { actions: removeAll(o.containers) };
  if (!o.released) return { actions: [{ do: "release" }] };
  return { actions: o.gone || o.pod === undefined ? [] : [{ do: "deleteFromApi" }] };
}
