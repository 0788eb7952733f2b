// Storage of simulated clusters: a default class, the controllers beside a driver that keeps volumes in memory, and what
// must be true of claims and their volumes.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import { bindCompleted } from "../../../api/core/volume-matching.ts";
import { pods } from "../../../api/core/pods.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import { csiDrivers } from "../../../api/storage/csi.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { runDriverControllers } from "../../../controllers/csi/controllers.ts";
import type { Client } from "../../../machinery/client.ts";
import { memoryDriver } from "../../suites/memory-driver.ts";
import type { Rule } from "../judge.ts";
import type { StorageSystem } from "../storage-system.ts";
import { staleMs } from "./readiness.ts";
import type { ComponentOf } from "./workload.ts";

const driver = "memory.example.com";

/** A driver's object. A driver without one is assumed to attach its volumes. */
export const createDriver = (user: Client, name: string, attachRequired = false): Promise<unknown> =>
  user.create(csiDrivers, { kind: "CSIDriver", metadata: { name }, spec: { attachRequired } });

export async function createDefaultClass(user: Client): Promise<void> {
  await createDriver(user, driver);
  await user.create(storageClasses, {
    kind: "StorageClass",
    metadata: { name: "memory", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: driver,
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
  });
}

/** The driver keeps its volumes when the controllers beside it are killed. */
export const storageComponent: ComponentOf = ({ world, storage }) => {
  const memory = memoryDriver();
  return (client, signal) =>
    runDriverControllers({ driver, calls: storage.serve({ driver, memory }, signal) }, client, world, signal);
};

/** The uid of the claim that a volume is reserved for. */
const claimUid = (volume: PersistentVolume | undefined): string | undefined => volume?.spec.claimRef?.uid;

const boundToTwo: Rule<PersistentVolume> = {
  name: "volume bound to two claims",
  kind: persistentVolumes,
  broken(volume, before, committed) {
    if (!volume) return undefined;
    const { name } = volume.metadata;
    const [then, now] = [claimUid(before), claimUid(volume)];
    const isTakenOver = then !== undefined && now !== undefined && now !== then;
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

/** The phase of a claim follows its binding, and the kubelet waits for it. */
const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[bindCompleted] !== undefined && spec.volumeName !== undefined;

/** Users may delete a claim between the decision and the binding, and create another one of its name. */
function scheduledTooSoon(): readonly Rule[] {
  const deletedAt = new Map<string, number>();
  const deleted: Rule<PersistentVolumeClaim> = {
    name: "",
    kind: persistentVolumeClaims,
    broken(claim, before, { at }) {
      if (!claim && before) deletedAt.set(keyOf(before), at);
      return undefined;
    },
  };
  const scheduled: Rule<Pod> = {
    name: "pod scheduled before its claims are bound",
    kind: pods,
    broken(pod, before, committed) {
      if (!pod?.spec.nodeName || before?.spec.nodeName) return undefined;
      const claims = new Map(committed.all(persistentVolumeClaims).map((claim) => [keyOf(claim), claim]));
      const isWrong = (name: string): boolean => {
        const claimKey = key(pod.metadata.namespace, name);
        if (committed.at - (deletedAt.get(claimKey) ?? -Infinity) < staleMs) return false;
        const claim = claims.get(claimKey);
        return claim === undefined || !isBound(claim);
      };
      return claimNamesOf(pod).some(isWrong) ? pod.metadata.name : undefined;
    },
  };
  return [deleted, scheduled];
}

const rulesOf = new WeakMap<StorageSystem, readonly Rule[]>();
/** The rules of one life, which workloads share. */
export function storageRules(storage: StorageSystem): readonly Rule[] {
  const rules = rulesOf.get(storage) ?? [boundToTwo, deletedWhileBound, ...scheduledTooSoon()];
  rulesOf.set(storage, rules);
  return rules;
}
export const storageKinds = [persistentVolumes, persistentVolumeClaims];

/** Volumes whose claim is gone are gone, too: the class deletes them. */
export const volumesLeft = (
  volumes: readonly PersistentVolume[],
  claims: readonly PersistentVolumeClaim[],
): readonly string[] => {
  const uids = new Set(claims.map(({ metadata }) => metadata.uid));
  return volumes
    .filter((v) => v.spec.persistentVolumeReclaimPolicy === "Delete" && !uids.has(claimUid(v) ?? ""))
    .map(({ metadata }) => `volume ${metadata.name} is left`);
};
