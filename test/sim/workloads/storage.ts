// Storage of simulated clusters: a default class, the controllers beside a driver that keeps volumes in memory, and what
// must be true of claims and their volumes.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import { bindCompleted } from "../../../api/core/volume-matching.ts";
import { pods } from "../../../api/core/pods.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { runDriverControllers } from "../../../controllers/csi/controllers.ts";
import type { Client } from "../../../machinery/client.ts";
import { memoryDriver } from "../../suites/memory-driver.ts";
import type { Rule } from "../judge.ts";
import type { ComponentOf } from "./workload.ts";

const driver = "memory.example.com";

export const createDefaultClass = (user: Client): Promise<unknown> =>
  user.create(storageClasses, {
    kind: "StorageClass",
    metadata: { name: "memory", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: driver,
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
  });

/** The driver keeps its volumes when the controllers beside it are killed. */
export const storageComponent: ComponentOf = ({ world }) => {
  const { calls } = memoryDriver();
  return (client, signal) => runDriverControllers({ driver, calls }, client, world, signal);
};

/** The uid of the claim that a volume is reserved for. */
const claimUid = (volume: PersistentVolume | undefined): string | undefined => volume?.spec.claimRef?.uid;

const boundToTwo: Rule<PersistentVolume> = {
  name: "volume bound to two claims",
  kind: persistentVolumes,
  broken(volume, before, committed) {
    if (!volume) return undefined;
    const { name } = volume.metadata;
    const isTakenOver = claimUid(before) !== undefined && claimUid(volume) !== claimUid(before);
    const holders = committed
      .all(persistentVolumeClaims)
      .filter((claim) => claim.status?.phase === "Bound" && claim.spec.volumeName === name);
    return isTakenOver || holders.length > 1 ? name : undefined;
  },
};

/** No user deletes volumes here, so that every deletion is one by the class's policy. */
const deletedWhileBound: Rule<PersistentVolume> = {
  name: "volume deleted while bound",
  kind: persistentVolumes,
  broken(volume, before, committed) {
    const isDeleted = volume === undefined || volume.metadata.deletionTimestamp !== undefined;
    if (!isDeleted || before?.metadata.deletionTimestamp !== undefined) return undefined;
    const claim = committed.withUid(persistentVolumeClaims, claimUid(before));
    return claim?.status?.phase === "Bound" ? before?.metadata.name : undefined;
  },
};

const scheduledTooSoon: Rule<Pod> = {
  name: "pod scheduled before its claims are bound",
  kind: pods,
  broken(pod, before, committed) {
    if (!pod?.spec.nodeName || before?.spec.nodeName) return undefined;
    // The phase follows, and the kubelet waits for it.
    const isBound = (name: string): boolean =>
      committed
        .all(persistentVolumeClaims)
        .some(
          ({ metadata, spec }) => metadata.name === name && metadata.annotations?.[bindCompleted] && spec.volumeName,
        );
    return claimNamesOf(pod).every(isBound) ? undefined : pod.metadata.name;
  },
};

export const storageRules: readonly Rule[] = [boundToTwo, deletedWhileBound, scheduledTooSoon];
export const storageKinds = [persistentVolumes, persistentVolumeClaims];

/** Volumes whose claim is gone are gone, too: the class deletes them. */
export const volumesLeft = (
  volumes: readonly PersistentVolume[],
  claims: readonly PersistentVolumeClaim[],
): readonly string[] => {
  const uids = new Set(claims.map(({ metadata }) => metadata.uid));
  return volumes.filter((v) => !uids.has(claimUid(v) ?? "")).map(({ metadata }) => `volume ${metadata.name} is left`);
};
