// How a snapshot and its content refer to each other, and the marks that the snapshot controller and the controllers
// beside drivers leave on them for each other. Source: the API of snapshot.storage.k8s.io. Pure.
import type { PersistentVolumeClaim } from "../generated/types.ts";
import { type VolumeSnapshot, type VolumeSnapshotContent, volumeSnapshots } from "./volumesnapshots.ts";

const prefix = "snapshot.storage.kubernetes.io";

/** Finalizers of a snapshot: while a claim may be restored from it, and while its content is deleted with it. */
export const asSourceFinalizer = `${prefix}/volumesnapshot-as-source-protection`;
export const boundFinalizer = `${prefix}/volumesnapshot-bound-protection`;
/** A finalizer of contents: until what they stand for is deleted. */
export const contentFinalizer = `${prefix}/volumesnapshotcontent-bound-protection`;
/** A finalizer of claims: while a snapshot is made of them. */
export const claimFinalizer = `${prefix}/pvc-as-source-protection`;
/** Annotations of contents: the driver was called to make the snapshot, and the snapshot object is deleted. */
export const beingCreated = `${prefix}/volumesnapshot-being-created`;
export const beingDeleted = `${prefix}/volumesnapshot-being-deleted`;
/** An annotation of the class for snapshots of its driver's volumes without a class. */
export const defaultClass = `${prefix}/is-default-class`;
/** A label of contents: the node whose driver serves them. */
export const managedBy = `${prefix}/managed-by`;

/** The name of the content that is made for a snapshot. */
export const contentNameOf = ({ metadata }: VolumeSnapshot): string => `snapcontent-${metadata.uid}`;

/** Whether a content refers to a snapshot; one without uid is reserved for a snapshot of the name. */
export function isFor({ spec: { volumeSnapshotRef: reference } }: VolumeSnapshotContent, { metadata }: VolumeSnapshot) {
  const isSameName = reference.name === metadata.name && reference.namespace === metadata.namespace;
  return isSameName && (!reference.uid || reference.uid === metadata.uid);
}
/** Whether a content is bound to a snapshot. */
export const isBoundTo = (content: VolumeSnapshotContent, snapshot: VolumeSnapshot): boolean =>
  isFor(content, snapshot) && content.spec.volumeSnapshotRef.uid === snapshot.metadata.uid;

/** The name of the snapshot that a claim is to be restored from. */
export function snapshotOf({ spec: { dataSource, dataSourceRef } }: PersistentVolumeClaim): string | undefined {
  const { apiGroup, kind, name } = dataSource ?? dataSourceRef ?? {};
  return kind === "VolumeSnapshot" && apiGroup === volumeSnapshots.group ? name : undefined;
}
