// What a snapshot says of itself: the state of its content, or why it cannot be made. Pure.
import { type Instant, instant, keyOf, timestamp } from "../../api/meta.ts";
import { memoryQuantity, unitsOf } from "../../api/quantity.ts";
import {
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshots,
} from "../../api/snapshot/volumesnapshots.ts";
import { type Action, recordEvent, statusTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";

type Status = NonNullable<VolumeSnapshot["status"]>;
const nanosecondsPerMs = 1_000_000;

/** Reports why a snapshot cannot be made, once. Each cause is in a view, so that its end is noticed. */
export function failed(
  snapshot: VolumeSnapshot,
  reason: string,
  message: string,
  now: Instant,
  { isUsable = false } = {},
): Decision {
  const because = [message];
  if (snapshot.status?.error?.message === message) return { actions: [], because };
  const status = {
    ...snapshot.status,
    ...(isUsable ? {} : { readyToUse: false }),
    error: { message, time: timestamp(now) },
  };
  const event = recordEvent(snapshot, "Warning", reason, message);
  return { actions: [...statusTo<VolumeSnapshot>(volumeSnapshots, snapshot, status), event], because };
}

/** The status of a snapshot with this content. What was reported about its time and size stays. */
function statusOf({ status = {} }: VolumeSnapshot, content: VolumeSnapshotContent): Status {
  const { error: _, ...before } = status;
  const { creationTime, restoreSize, readyToUse = false, error } = content.status ?? {};
  return {
    boundVolumeSnapshotContentName: content.metadata.name,
    ...(creationTime !== undefined && { creationTime: timestamp(instant(creationTime / nanosecondsPerMs)) }),
    ...(restoreSize !== undefined && { restoreSize: memoryQuantity(restoreSize) }),
    ...before,
    ...(unitsOf(before.restoreSize) === 0 && restoreSize && { restoreSize: memoryQuantity(restoreSize) }),
    readyToUse,
    ...(error && !readyToUse && { error }),
  };
}

/** Reports the state of the content, and what is new of it as events. */
export function reported(snapshot: VolumeSnapshot, content: VolumeSnapshotContent): readonly Action[] {
  const status = statusOf(snapshot, content);
  const { creationTime, readyToUse } = snapshot.status ?? {};
  const name = keyOf(snapshot);
  return [
    ...statusTo<VolumeSnapshot>(volumeSnapshots, snapshot, status),
    ...(status.creationTime && !creationTime
      ? [
          recordEvent(
            snapshot,
            "Normal",
            "SnapshotCreated",
            `Snapshot ${name} was successfully created by the CSI driver.`,
          ),
        ]
      : []),
    ...(status.readyToUse && !readyToUse
      ? [recordEvent(snapshot, "Normal", "SnapshotReady", `Snapshot ${name} is ready to use.`)]
      : []),
  ];
}
