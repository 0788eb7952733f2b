// What a snapshotter does about a content: the driver makes its snapshot, says whether it is ready, or deletes it.
// Pure, but for the calls that it returns. Source: the documentation of external-snapshotter's sidecar.
import { type Instant, timestamp } from "../../api/meta.ts";
import { beingCreated, beingDeleted, contentFinalizer, managedBy } from "../../api/snapshot/binding.ts";
import {
  type VolumeSnapshotClass,
  type VolumeSnapshotContent,
  volumeSnapshotContents,
} from "../../api/snapshot/volumesnapshots.ts";
import type { SnapshotMessage } from "../../csi/protocol/volumes.ts";
import { type Action, recordEvent, statusTo } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { patchMetadata, removeFinalizers } from "../../machinery/metadata-patches.ts";
import { parametersOf } from "./new-volume.ts";
import { type CallError, callOf, type DriverOptions } from "./sidecar.ts";

export interface ObservedContent {
  readonly content: VolumeSnapshotContent;
  /** The class that it names. */
  readonly snapshotClass: VolumeSnapshotClass | undefined;
}

type Status = NonNullable<VolumeSnapshotContent["status"]>;
const nanosecondsPerSecond = 1_000_000_000;
const nanosecondsPerMs = 1_000_000;
const notReadyRetryMs = 1000;

/** Snapshots of a node are made by the driver there. */
export const isServedContent = ({ metadata, spec }: VolumeSnapshotContent, { driver, node }: DriverOptions): boolean =>
  spec.driver === driver && (node === undefined || metadata.labels?.[managedBy] === node.name);

const statusOf = (content: VolumeSnapshotContent, status: Status): readonly Action[] =>
  statusTo<VolumeSnapshotContent>(volumeSnapshotContents, content, status);
const isMarked = ({ metadata }: VolumeSnapshotContent, annotation: string): boolean =>
  metadata.annotations?.[annotation] !== undefined;
/** Also after the object has been written meanwhile. */
const withoutMark = (object: VolumeSnapshotContent): Action => ({
  ...{ do: "patch", resource: volumeSnapshotContents, object },
  patch: { type: "merge", patch: { metadata: { annotations: { [beingCreated]: null } } } },
});

/** Reports why the content has no snapshot, once. */
function failed(content: VolumeSnapshotContent, reason: string, message: string, now: Instant): Decision {
  if (content.status?.error?.message === message) return { actions: [], failure: message };
  const status = { ...content.status, readyToUse: false, error: { message, time: timestamp(now) } };
  return {
    actions: [...statusOf(content, status), recordEvent(content, "Warning", reason, message)],
    failure: message,
  };
}

/** Writes what the driver says of the snapshot. */
function report(content: VolumeSnapshotContent, made: Omit<SnapshotMessage, "sourceVolumeId">, now: Instant): Decision {
  const { error, ...before } = content.status ?? {};
  const { creationTime: at, sizeBytes, readyToUse, snapshotId } = made;
  const creationTime = at ? at.seconds * nanosecondsPerSecond + at.nanos : now * nanosecondsPerMs;
  const status = {
    ...{ snapshotHandle: snapshotId, creationTime },
    ...(sizeBytes > 0 && { restoreSize: sizeBytes }),
    ...before,
    readyToUse,
    ...(error && !readyToUse && { error }),
  };
  return { actions: statusOf(content, status), ...(!readyToUse && { requeueAfter: notReadyRetryMs }) };
}

/** An error after which the driver may still make the snapshot; it is called again, until it says. */
const isUncertain = ({ isFinal, code }: CallError): boolean => !isFinal || code === "RESOURCE_EXHAUSTED";

function createSnapshot({ content, snapshotClass }: ObservedContent, options: DriverOptions, now: Instant): Decision {
  const { source, volumeSnapshotClassName: className, volumeSnapshotRef } = content.spec;
  const { name } = content.metadata;
  const [reason, prefix] =
    content.status === undefined
      ? ["SnapshotCreationFailed", "Failed to create snapshot"]
      : ["SnapshotContentCheckandUpdateFailed", "Failed to check and update snapshot content"];
  if (snapshotClass === undefined) {
    const problem =
      className === undefined
        ? `failed to take snapshot ${name} without a snapshot class`
        : `volumesnapshotclass.snapshot.storage.k8s.io "${className}" not found`;
    const message = `failed to get input parameters to create snapshot for content ${name}: ${JSON.stringify(problem)}`;
    return failed(content, reason, `${prefix}: ${message}`, now);
  }
  // The mark comes before the call, so that no snapshot is left when this process is killed and the content deleted.
  if (!isMarked(content, beingCreated))
    return {
      actions: [patchMetadata(volumeSnapshotContents, content, { annotations: { [beingCreated]: "yes" } })],
      because: [`${options.driver} makes its snapshot`],
    };
  const request = {
    name: `snapshot-${volumeSnapshotRef.uid}`,
    sourceVolumeId: source.volumeHandle!,
    parameters: parametersOf(snapshotClass),
  };
  return {
    actions: [],
    effect: callOf("CreateSnapshot", () => options.calls.CreateSnapshot(request), {
      succeeded: ({ snapshot }) => {
        const reported = report(content, snapshot!, now);
        return { ...reported, actions: [...reported.actions, withoutMark(content)] };
      },
      failed: (error) => {
        const cause = `failed to take snapshot of the volume ${source.volumeHandle}: ${JSON.stringify(error.message)}`;
        const failure = failed(content, reason, `${prefix}: ${cause}`, now);
        return isUncertain(error) ? failure : { ...failure, actions: [...failure.actions, withoutMark(content)] };
      },
    }),
  };
}

/** Of a snapshot that existed before its content: whether the driver has it. */
function checkSnapshot(content: VolumeSnapshotContent, options: DriverOptions, now: Instant): Decision {
  const snapshotId = content.spec.source.snapshotHandle!;
  const unknown = { snapshotId, sizeBytes: 0, readyToUse: true, creationTime: null, groupSnapshotId: "" };
  if (!options.capabilities.has("LIST_SNAPSHOTS")) return report(content, unknown, now);
  const problem = (cause: string): Decision => {
    const listed = `failed to list snapshot for content ${content.metadata.name}: ${JSON.stringify(cause)}`;
    const message = `Failed to check and update snapshot content: ${listed}`;
    return failed(content, "SnapshotContentCheckandUpdateFailed", message, now);
  };
  return {
    actions: [],
    effect: callOf("ListSnapshots", () => options.calls.ListSnapshots({ snapshotId }), {
      succeeded: ({ entries: [entry] }) =>
        entry?.snapshot
          ? report(content, entry.snapshot, now)
          : problem(`can not find snapshot for snapshotID ${snapshotId}`),
      failed: ({ message }) => problem(message),
    }),
  };
}

function deleteSnapshot(content: VolumeSnapshotContent, options: DriverOptions): Decision {
  const { snapshotHandle, readyToUse: _, creationTime: _t, restoreSize: _s, ...status } = content.status ?? {};
  if (content.spec.deletionPolicy !== "Delete" || snapshotHandle === undefined)
    return {
      actions: removeFinalizers(volumeSnapshotContents, content, [contentFinalizer]),
      because: ["nothing of it is left, or is to be deleted"],
    };
  return {
    actions: [],
    because: ["its snapshot is deleted, and so is it by its policy"],
    effect: callOf("DeleteSnapshot", () => options.calls.DeleteSnapshot({ snapshotId: snapshotHandle }), {
      // The finalizer goes once the status says that nothing is left.
      succeeded: () => ({ actions: statusOf(content, status) }),
      failed: ({ message }) => ({
        actions: [recordEvent(content, "Warning", "SnapshotDeleteError", "Failed to delete snapshot")],
        failure: message,
      }),
    }),
  };
}

/** Whether the content is to be deleted: not while its snapshot may still be made, nor before the snapshot object. */
function isToDelete(content: VolumeSnapshotContent): boolean {
  const { metadata, spec } = content;
  if (metadata.deletionTimestamp === undefined) return false;
  if (spec.source.snapshotHandle !== undefined && !spec.volumeSnapshotRef.uid) return true;
  return !isMarked(content, beingCreated) && isMarked(content, beingDeleted);
}

/** The next step for a content. */
export function decideContentSnapshot(observed: ObservedContent, options: DriverOptions, now: Instant): Decision {
  const { content } = observed;
  if (!isServedContent(content, options)) return settled;
  if (isToDelete(content)) return deleteSnapshot(content, options);
  if (content.status?.readyToUse)
    return isMarked(content, beingCreated) ? { actions: [withoutMark(content)] } : settled;
  if (content.spec.source.snapshotHandle !== undefined) return checkSnapshot(content, options, now);
  return content.spec.volumeSnapshotRef.uid ? createSnapshot(observed, options, now) : settled;
}
