// What the volume of a claim is to be a copy of: another claim's volume, or a snapshot. Pure. Source: the documentation
// of external-provisioner.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { classNameOf, isReachableFrom, refersTo } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { unitsOf } from "../../api/quantity.ts";
import { isBoundTo, managedBy } from "../../api/snapshot/binding.ts";
import {
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshots,
} from "../../api/snapshot/volumesnapshots.ts";
import type { DriverOptions } from "./sidecar.ts";

/** As the request to a driver has it. */
export type ContentSource =
  | { readonly volume: { readonly volumeId: string } }
  | { readonly snapshot: { readonly snapshotId: string } };

/** The objects that a claim names as its source. */
export interface ObservedSource {
  readonly claim?: PersistentVolumeClaim | undefined;
  /** The volume of that claim. */
  readonly volume?: PersistentVolume | undefined;
  readonly snapshot?: VolumeSnapshot | undefined;
  /** The content of that snapshot. */
  readonly content?: VolumeSnapshotContent | undefined;
}

type Kind = "claim" | "snapshot" | "populated";

/** What a claim is a copy of; other kinds of sources have a populator, a controller that makes the volume itself. */
export function sourceOf({ spec }: PersistentVolumeClaim) {
  const source = spec.dataSource ?? spec.dataSourceRef;
  if (source === undefined) return undefined;
  const kind: Kind =
    source.kind === persistentVolumeClaims.kind
      ? "claim"
      : source.kind === volumeSnapshots.kind
        ? "snapshot"
        : "populated";
  return { ...source, type: kind };
}

const requestOf = ({ spec }: PersistentVolumeClaim): number => unitsOf(spec.resources?.requests?.["storage"]);
const modeOf = (spec: { readonly volumeMode?: string } | undefined): string => spec?.volumeMode ?? "Filesystem";

/** Why a claim cannot be a copy of that claim. */
function claimProblem(
  claim: PersistentVolumeClaim,
  { claim: source, volume }: ObservedSource,
  { driver }: DriverOptions,
): string | undefined {
  const { namespace } = claim.metadata;
  const { name } = sourceOf(claim)!;
  if (source === undefined)
    return `error getting PVC ${name} (namespace "${namespace}") from api server: persistentvolumeclaims "${name}" not found`;
  const { phase } = source.status ?? {};
  if (phase !== "Bound") return `the PVC DataSource ${name} must have a status of Bound.  Got ${phase ?? ""}`;
  if (source.metadata.deletionTimestamp !== undefined) return `the PVC DataSource ${name} is currently being deleted`;
  const [size, sourceSize] = [requestOf(claim), requestOf(source)];
  if (size < sourceSize)
    return `error, new PVC request must be greater than or equal in size to the specified PVC data source, requested ${size} but source is ${sourceSize}`;
  if (volume?.spec.csi?.driver !== driver || !refersTo(volume, source))
    return "claim in dataSource not bound or invalid";
  const [mode, sourceMode] = [modeOf(claim.spec), modeOf(volume.spec)];
  return mode === sourceMode
    ? undefined
    : `the source PVC and destination PVCs must have the same volume mode for cloning.  Source is ${sourceMode}, but new PVC requested ${mode}`;
}

const allowModeChange = "snapshot.storage.kubernetes.io/allow-volume-mode-change";

/** Why a claim cannot be restored from that snapshot. */
function snapshotProblem(
  claim: PersistentVolumeClaim,
  { snapshot, content }: ObservedSource,
  storageClass: StorageClass,
): string | undefined {
  const { name, apiGroup } = sourceOf(claim)!;
  const { group, plural } = volumeSnapshots;
  if (apiGroup !== group)
    return `the PVC source does not belong to the right APIGroup. Expected ${group}, Got ${apiGroup ?? ""}`;
  if (snapshot === undefined)
    return `error getting snapshot ${name} from api server: ${plural}.${group} "${name}" not found`;
  if (snapshot.metadata.deletionTimestamp !== undefined) return `snapshot ${name} is being deleted`;
  const { boundVolumeSnapshotContentName: contentName, readyToUse, restoreSize } = snapshot.status ?? {};
  if (contentName === undefined) return `snapshot ${name} not bound`;
  if (content === undefined) return `error getting snapshotcontent ${contentName} for snapshot ${name}`;
  if (!isBoundTo(content, snapshot))
    return `snapshotcontent ${contentName} for snapshot ${name} is bound to a different snapshot`;
  if (content.spec.driver !== storageClass.provisioner)
    return `snapshotcontent ${contentName} for snapshot ${name} is not handled by CSI driver of StorageClass ${classNameOf(claim)}`;
  if (!readyToUse) return `snapshot ${name} is not Ready`;
  if (content.status?.snapshotHandle === undefined) return `snapshot handle ${name} is not available`;
  const [size, least] = [requestOf(claim), unitsOf(restoreSize)];
  if (size < least)
    return `requested volume size ${size} is less than the size ${least} for the source snapshot ${name}`;
  const { sourceVolumeMode } = content.spec;
  if (sourceVolumeMode === undefined || sourceVolumeMode === modeOf(claim.spec)) return undefined;
  return content.metadata.annotations?.[allowModeChange] === "true"
    ? undefined
    : `requested volume ${keyOf(claim)} modifies the mode of the source volume but does not have permission to do so. ${allowModeChange} annotation is not present on snapshotcontent ${contentName}`;
}

/** Why the volume of a claim cannot be a copy of its source. */
export function sourceProblem(
  claim: PersistentVolumeClaim,
  observed: ObservedSource,
  storageClass: StorageClass,
  options: DriverOptions,
): string | undefined {
  const source = sourceOf(claim);
  if (source === undefined || source.type === "populated") return undefined;
  const problem =
    source.type === "claim" ? claimProblem(claim, observed, options) : snapshotProblem(claim, observed, storageClass);
  return problem && `error getting handle for DataSource Type ${source.kind} by Name ${source.name}: ${problem}`;
}

/** The source as the driver knows it, as far as it exists. */
export function contentSource({ volume, content }: ObservedSource): ContentSource | undefined {
  const snapshotId = content?.status?.snapshotHandle;
  if (snapshotId !== undefined) return { snapshot: { snapshotId } };
  return volume?.spec.csi && { volume: { volumeId: volume.spec.csi.volumeHandle } };
}

/** Whether the source of a claim is on the node of this driver; `elsewhere` when it is on another. */
export function placeOf({ volume, content }: ObservedSource, { node }: DriverOptions): "here" | "elsewhere" | "any" {
  if (node === undefined) return "any";
  const manager = content?.metadata.labels?.[managedBy];
  if (manager !== undefined) return manager === node.name ? "here" : "elsewhere";
  if (volume?.spec.nodeAffinity === undefined) return "any";
  return isReachableFrom(volume, node.segments) ? "here" : "elsewhere";
}
