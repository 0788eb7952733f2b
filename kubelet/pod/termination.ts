// The termination of a pod: containers are stopped, sidecars last, then everything is removed, and finally the object
// in the API. Pure.
import type { Pod } from "../../api/generated/types.ts";
import { type Instant, instant, instantOf } from "../../api/meta.ts";
import type { RuntimeContainer } from "../runtime.ts";
import { isStarting, type PodAction, type PodDecision, removeAll, stop } from "./actions.ts";
import type { PodObservation } from "./memory.ts";
import { initContainersOf, isSidecar } from "../podspec/containers.ts";
import { usesDevices } from "../devices/device-claims.ts";
import { usesDrivers } from "../volumes/claims.ts";
import { volumeBackoff } from "../volumes/volume-backoff.ts";
import { isRunning } from "./runs.ts";

/** The shortest grace period: also that of a pod deleted at once, or whose specified one is negative. */
const leastGraceMs = 1_000;

/** The grace period of the pod's spec, in milliseconds. */
export function graceMsOf({ spec: { terminationGracePeriodSeconds: seconds = 30 } }: Pod): number {
  return seconds < 0 ? leastGraceMs : seconds * 1_000;
}

/** The end of `activeDeadlineSeconds`. */
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

/** Whether the pod has to end for another reason than its own containers. */
export const mustEnd = (pod: Pod, o: PodObservation): boolean =>
  o.gone ||
  pod.metadata.deletionTimestamp !== undefined ||
  o.rejection !== undefined ||
  o.eviction !== undefined ||
  isPastDeadline(pod, o.now);

function grace(o: PodObservation): { readonly graceMs: number; readonly deadline: string } {
  const { pod } = o;
  if (pod === undefined || o.gone) return { graceMs: leastGraceMs, deadline: "gone" };
  if (o.eviction) return { graceMs: leastGraceMs, deadline: "evicted" };
  const deadline = pod.metadata.deletionTimestamp;
  if (deadline === undefined) return { graceMs: graceMsOf(pod), deadline: "ended" };
  // The rest of the period: a restarted kubelet does not restart it.
  const total = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1_000;
  const left = instantOf(deadline) + leastGraceMs - o.now;
  return { graceMs: Math.max(leastGraceMs, Math.min(total, left)), deadline };
}

/** Ordinary containers at once, then the sidecars in reverse order (KEP-753). */
function nextToStop(o: PodObservation): readonly RuntimeContainer[] {
  const running = o.containers.filter(isRunning);
  const sidecars = o.pod === undefined ? [] : initContainersOf(o.pod).filter(isSidecar).toReversed();
  const others = running.filter((r) => !sidecars.some((s) => s.name === r.name));
  if (others.length > 0) return others;
  const last = sidecars.find((s) => running.some((r) => r.name === s.name));
  return running.filter((r) => r.name === last?.name);
}

/** An action that unmounts volumes; after a failure not before its time has come. */
function unmounting({ unmountFailure: failure, now }: PodObservation, action: PodAction): PodDecision {
  const due = failure ? failure.at + volumeBackoff(failure.failures) : now;
  return now < due ? { actions: [], requeueAt: due } : { actions: [action] };
}

/** Stops what runs, then removes the sandbox; containers stay for their logs until the object is deleted. */
export function decideEnd(o: PodObservation): PodDecision {
  const stopping = nextToStop(o);
  if (stopping.length > 0) {
    const { graceMs, deadline } = grace(o);
    return { actions: stopping.map((run) => stop(run, graceMs, deadline)) };
  }
  // Without its sandbox a start under way would fail, and the container would seem to have failed.
  if (isStarting(o.underWay, o.containers)) return { actions: [] };
  const unstarted = o.containers.filter((r) => r.status.state === "created");
  if (unstarted.length > 0) return { actions: removeAll(unstarted) };
  if (o.sandboxes.length > 0) return { actions: removeAll(o.sandboxes) };
  // What it mounts after this would be left behind.
  if (o.underWay.has("mountVolumes")) return { actions: [] };
  if (o.pod && (usesDrivers(o.pod) || usesDevices(o.pod)) && o.volumes.is !== "unmounted")
    return unmounting(o, { do: "unmountVolumes" });
  const leaves = o.gone || o.pod === undefined || o.pod.metadata.deletionTimestamp !== undefined;
  // The final status derives from these containers, so it is reported before they are removed.
  if (!leaves || !(o.reported || o.gone || o.pod === undefined)) return { actions: [] };
  if (o.containers.length > 0) return { actions: removeAll(o.containers) };
  if (!o.released) return unmounting(o, { do: "release" });
  return { actions: o.gone || o.pod === undefined ? [] : [{ do: "deleteFromApi" }] };
}
