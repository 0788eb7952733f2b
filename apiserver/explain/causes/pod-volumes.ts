// Why the volumes of a pod are not there: from the events about it. Pure.
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { CoreV1Event, Pod } from "../../../api/generated/types.ts";

const reasons = new Set([
  "FailedMount",
  "FailedAttachVolume",
  "FailedMapVolume",
  "FailedCreatePodSandBox",
  "VolumeResizeFailed",
]);
const nextOf = (reason: string, message: string): string => {
  if (reason === "FailedCreatePodSandBox") return "see the log of the node: orrery component-logs";
  if (/driver|csi/i.test(message)) return "check that the driver runs on the node: orrery get csinodes";
  if (reason === "FailedAttachVolume" || /attach/i.test(message))
    return "see what has the volume: orrery get volumeattachments";
  return "correct spec.volumes of the pod, or provide what the volume refers to";
};

/** The last failure to prepare what the pod needs before its containers are created. */
export function volumeFailure({ status }: Pod, events: readonly CoreV1Event[]): Cause | undefined {
  if ((status?.containerStatuses ?? []).some(({ containerID }) => containerID !== undefined)) return undefined;
  const last = events.findLast(({ reason = "" }) => reasons.has(reason));
  if (!last) return undefined;
  const { reason = "", message = "" } = last;
  return { reason, message: message.trim(), next: nextOf(reason, message) };
}
