// What becomes of a snapshot: a content is made for it or bound to it, and its status follows that of the content.
// Pure. Source: the documentation of the snapshot controller.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { refersTo } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { type Instant, keyOf } from "../../api/meta.ts";
import {
  asSourceFinalizer,
  boundFinalizer,
  claimFinalizer,
  contentNameOf,
  isBoundTo,
  isFor,
  managedBy,
} from "../../api/snapshot/binding.ts";
import {
  type VolumeSnapshot,
  type VolumeSnapshotClass,
  type VolumeSnapshotContent,
  volumeSnapshotContents,
  volumeSnapshots,
} from "../../api/snapshot/volumesnapshots.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { addFinalizers, hasFinalizer, removeFinalizers } from "../../machinery/metadata-patches.ts";
import { decideDeletion } from "./deletion.ts";
import { failed, reported } from "./report.ts";

export interface ObservedSnapshot {
  readonly snapshot: VolumeSnapshot;
  /** The content that it names, or that is made for it. */
  readonly content: VolumeSnapshotContent | undefined;
  /** The class that it names. */
  readonly snapshotClass: VolumeSnapshotClass | undefined;
  /** Classes that are marked as default. */
  readonly defaultClasses: readonly VolumeSnapshotClass[];
  /** The claim that it is a snapshot of. */
  readonly claim: PersistentVolumeClaim | undefined;
  /** The volume of that claim. */
  readonly volume: PersistentVolume | undefined;
  /** The node that this volume belongs to. */
  readonly node: string | undefined;
  /** Other snapshots of the claim. */
  readonly siblings: readonly VolumeSnapshot[];
  /** Claims that wait to be restored from it. */
  readonly restored: readonly PersistentVolumeClaim[];
}

const isReady = ({ status }: VolumeSnapshot): boolean => status?.readyToUse === true;

/** The claim is released once no snapshot is made of it. */
function releaseClaim({ snapshot, siblings, claim }: ObservedSnapshot): readonly Action[] {
  if (claim === undefined || siblings.some((other) => !isReady(other))) return [];
  const isDone = isReady(snapshot) || snapshot.metadata.deletionTimestamp !== undefined;
  return isDone ? removeFinalizers(persistentVolumeClaims, claim, [claimFinalizer]) : [];
}

/** Why no snapshot of the claim can be made now. The errors are those of Kubernetes' listers and clients. */
function sourceProblem({ snapshot, claim, volume }: ObservedSnapshot): string | undefined {
  const name = snapshot.spec.source.persistentVolumeClaimName!;
  if (claim === undefined)
    return `failed to retrieve PVC ${name} from the lister: ${JSON.stringify(`persistentvolumeclaim "${name}" not found`)}`;
  if (claim.status?.phase !== "Bound")
    return `the PVC ${name} is not yet bound to a PV, will not attempt to take a snapshot`;
  const { volumeName } = claim.spec;
  if (volume === undefined)
    return `failed to retrieve PV ${volumeName} from the API server: ${JSON.stringify(`persistentvolumes "${volumeName}" not found`)}`;
  return refersTo(volume, claim) ? undefined : "claim in dataSource not bound or invalid";
}

/** Gives the snapshot the default class of its volume's driver. */
function setDefaultClass(observed: ObservedSnapshot, now: Instant): Decision {
  const { snapshot, volume, defaultClasses } = observed;
  const { namespace, name } = snapshot.metadata;
  const of = defaultClasses.filter(({ driver }) => driver === volume?.spec.csi?.driver);
  const problem =
    sourceProblem(observed) ??
    (volume!.spec.csi === undefined
      ? `snapshotting non-CSI volumes is not supported, snapshot:${namespace}/${name}`
      : of.length === 0
        ? "cannot find default snapshot class"
        : of.length > 1
          ? `${of.length} default snapshot classes were found`
          : undefined);
  if (problem !== undefined) {
    const message = `Failed to set default snapshot class with error ${problem}`;
    return failed(snapshot, "SetDefaultSnapshotClassFailed", message, now, { isUsable: true });
  }
  const spec = { ...snapshot.spec, volumeSnapshotClassName: of[0]!.metadata.name };
  return {
    actions: [{ do: "update", resource: volumeSnapshots, object: { ...snapshot, spec } as VolumeSnapshot }],
    because: [`${of[0]!.metadata.name} is the default class of its driver`],
  };
}

/** What is wrong with the content: the reason and the message of an event. */
function contentProblem(observed: ObservedSnapshot): readonly [reason: string, message: string] | undefined {
  const { snapshot, content } = observed;
  const isStatic = snapshot.spec.source.volumeSnapshotContentName !== undefined;
  const isMade = snapshot.status?.creationTime !== undefined;
  // A content that is made again would have the data of another time.
  if (content === undefined)
    return isStatic || isMade ? ["SnapshotContentMissing", "VolumeSnapshotContent is missing"] : undefined;
  const { name } = content.metadata;
  if (isReady(snapshot))
    return isBoundTo(content, snapshot)
      ? undefined
      : ["SnapshotMisbound", "VolumeSnapshotContent is not bound to the VolumeSnapshot correctly"];
  if (isStatic && content.spec.source.snapshotHandle === undefined)
    return [
      "SnapshotContentMismatch",
      "VolumeSnapshotContent is dynamically provisioned while expecting a pre-provisioned one",
    ];
  if (!isStatic && content.spec.source.volumeHandle === undefined)
    return [
      "SnapshotContentMismatch",
      `VolumeSnapshotContent ${name} is pre-provisioned while expecting a dynamically provisioned one`,
    ];
  const isRight = isStatic ? isFor(content, snapshot) : isBoundTo(content, snapshot);
  return isRight
    ? undefined
    : ["SnapshotContentMisbound", `VolumeSnapshotContent [${name}] is bound to a different snapshot`];
}

/** The content for a snapshot of a volume. A driver of nodes makes it on the node of the volume. */
function newContent(observed: ObservedSnapshot): Action {
  const { snapshot, snapshotClass, volume, node } = observed;
  const { name, namespace, uid, resourceVersion } = snapshot.metadata;
  const { volumeMode, csi } = volume!.spec;
  const failure = (message: string): readonly Action[] => [
    recordEvent(
      snapshot,
      "Warning",
      "CreateSnapshotContentFailed",
      `Error creating volume snapshot content object for snapshot ${keyOf(snapshot)}: ${message}.`,
    ),
  ];
  return {
    do: "create",
    resource: volumeSnapshotContents,
    draft: {
      kind: "VolumeSnapshotContent",
      metadata: { name: contentNameOf(snapshot), ...(node !== undefined && { labels: { [managedBy]: node } }) },
      spec: {
        deletionPolicy: snapshotClass!.deletionPolicy,
        driver: snapshotClass!.driver,
        source: { volumeHandle: csi!.volumeHandle },
        ...(volumeMode && { sourceVolumeMode: volumeMode }),
        volumeSnapshotClassName: snapshotClass!.metadata.name,
        volumeSnapshotRef: {
          ...{ apiVersion: "snapshot.storage.k8s.io/v1", kind: "VolumeSnapshot" },
          ...{ name, namespace, uid, resourceVersion },
        },
      },
    },
    refused: failure,
  };
}

/** Makes the content, after the claim is protected from deletion. */
function create(observed: ObservedSnapshot, now: Instant): Decision {
  const { snapshot, claim, volume } = observed;
  const { name } = snapshot.metadata;
  const updateFailed = (what: string, why: string): string =>
    `snapshot controller failed to update ${what} on API server: ${why}`;
  const source = sourceProblem(observed);
  const problem =
    claim === undefined
      ? updateFailed(name, "cannot get claim from snapshot")
      : claim.metadata.deletionTimestamp !== undefined && !hasFinalizer(claim, claimFinalizer)
        ? updateFailed(claim.metadata.name, "cannot add finalizer on claim because it is being deleted")
        : source !== undefined
          ? `failed to get input parameters to create snapshot ${name}: ${JSON.stringify(source)}`
          : volume!.spec.csi === undefined
            ? `cannot find CSI PersistentVolumeSource for volume ${volume!.metadata.name}`
            : undefined;
  if (problem !== undefined) {
    const message = `Failed to create snapshot content with error ${problem}`;
    return failed(snapshot, "SnapshotContentCreationFailed", message, now);
  }
  const protection = addFinalizers(persistentVolumeClaims, claim!, [claimFinalizer]);
  if (protection.length > 0) return { actions: protection, because: ["a snapshot is made of the claim"] };
  const message = `Waiting for a snapshot ${keyOf(snapshot)} to be created by the CSI driver.`;
  return {
    actions: [newContent(observed), recordEvent(snapshot, "Normal", "CreatingSnapshot", message)],
    because: ["it has no content yet"],
  };
}

/** Binds a content that exists to the snapshot that it is reserved for. */
function bind(snapshot: VolumeSnapshot, content: VolumeSnapshotContent): readonly Action[] {
  const { volumeSnapshotRef: reference, volumeSnapshotClassName: className } = content.spec;
  const requestedClass = snapshot.spec.volumeSnapshotClassName;
  const volumeSnapshotClassName = className ?? requestedClass;
  if (reference.uid && className === volumeSnapshotClassName) return [];
  const spec = {
    ...content.spec,
    volumeSnapshotRef: { ...reference, uid: snapshot.metadata.uid },
    ...(volumeSnapshotClassName !== undefined && { volumeSnapshotClassName }),
  };
  return [{ do: "update", resource: volumeSnapshotContents, object: { ...content, spec } as VolumeSnapshotContent }];
}

function step(observed: ObservedSnapshot, now: Instant): Decision {
  const { snapshot, content, snapshotClass } = observed;
  const { source, volumeSnapshotClassName: className } = snapshot.spec;
  const isStatic = source.volumeSnapshotContentName !== undefined;
  if (className === undefined && !isStatic) return setDefaultClass(observed, now);
  if (className !== undefined && snapshotClass === undefined) {
    const message = `Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io "${className}" not found`;
    return failed(snapshot, "GetSnapshotClassFailed", message, now, { isUsable: true });
  }
  const problem = contentProblem(observed);
  if (problem !== undefined) return failed(snapshot, ...problem, now);
  const isDeletedWithContent = content?.spec.deletionPolicy === "Delete";
  const finalizers = [asSourceFinalizer, ...(isDeletedWithContent ? [boundFinalizer] : [])];
  const protection = addFinalizers(volumeSnapshots, snapshot, finalizers);
  if (protection.length > 0) return { actions: protection };
  if (isReady(snapshot)) return settled;
  if (content === undefined) return create(observed, now);
  const binding = bind(snapshot, content);
  return { actions: binding.length > 0 ? binding : reported(snapshot, content) };
}

/** The next step for a snapshot. */
export function decideSnapshot(observed: ObservedSnapshot, now: Instant): Decision {
  const isDeleted = observed.snapshot.metadata.deletionTimestamp !== undefined;
  const next = isDeleted ? decideDeletion(observed) : step(observed, now);
  // The claim is released before the snapshot that protects it is gone.
  return { ...next, actions: [...releaseClaim(observed), ...next.actions] };
}
