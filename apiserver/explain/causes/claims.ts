// Why a claim is not bound, or does not go away.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { pods } from "../../../api/core/pods.ts";
import { csiDrivers } from "../../../api/storage/csi.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import type { CoreV1Event, PersistentVolumeClaim, StorageClass } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { asDesired, command, failing, type Finding, progressing, referenceByName, waiting } from "../finding.ts";
import { isRead, type Read, type Reader } from "../reader.ts";
import { causeRule } from "../rule.ts";
import { deletionFinding } from "./replicated.ts";

export interface ClaimObservation {
  readonly events: readonly CoreV1Event[];
  /** Of a claim that names one. */
  readonly storageClass?: Read<StorageClass>;
  /** Whether any class is the default one; undefined when it is not known. */
  readonly hasDefaultClass?: boolean;
  /** Whether the provisioner of the class is a driver of the cluster; undefined when it is not known. */
  readonly hasDriver?: boolean;
  /** The names of pods that use it; undefined where the user may not list pods. */
  readonly users?: readonly string[];
}

const isDefault = ({ metadata }: StorageClass): boolean =>
  metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";

async function observe(claim: PersistentVolumeClaim, reader: Reader): Promise<ClaimObservation> {
  if (isBound(claim)) return { events: [] };
  const { storageClassName } = claim.spec ?? {};
  const [mayListPods, events, users, storageClass, all] = await Promise.all([
    reader.may("list", pods, claim.metadata.namespace),
    reader.eventsOf(claim),
    reader.related(pods, "claim", keyOf(claim)),
    storageClassName ? reader.get(storageClasses, undefined, storageClassName) : undefined,
    storageClassName === undefined ? reader.list(storageClasses) : ("hidden" as const),
  ]);
  const driver = isRead(storageClass ?? "hidden")
    ? await reader.get(csiDrivers, undefined, (storageClass as StorageClass).provisioner)
    : "hidden";
  return {
    events,
    ...(mayListPods && { users: users.items.map(({ metadata }) => metadata.name) }),
    ...(storageClass !== undefined && { storageClass }),
    ...(all !== "hidden" && { hasDefaultClass: all.some(isDefault) }),
    ...(driver !== "hidden" && { hasDriver: driver !== "missing" }),
  };
}

const isBound = ({ status, metadata }: PersistentVolumeClaim): boolean =>
  status?.phase === "Bound" && metadata.deletionTimestamp === undefined;

/** A pending claim of a class that makes volumes. */
function provisioning(claim: PersistentVolumeClaim, o: ClaimObservation, found: StorageClass): Finding {
  const { provisioner, volumeBindingMode, metadata } = found;
  const isSelected = claim.metadata.annotations?.["volume.kubernetes.io/selected-node"] !== undefined;
  if (volumeBindingMode === "WaitForFirstConsumer" && !isSelected)
    return o.users?.length === 0
      ? waiting("waits for a pod that uses it", {
          reason: "WaitForFirstConsumer",
          message: `volumes of the class "${metadata.name}" are made where the first pod runs that uses the claim, and no pod uses it`,
          next: "create a pod that uses the claim",
        })
      : // The pod waits for a node, and the claim for the pod: the cause is the pod's.
        progressing(`waits until a node is chosen for ${o.users?.[0] ?? "a pod that uses it"}`);
  if (provisioner === "kubernetes.io/no-provisioner")
    return waiting("waits for a volume", {
      reason: "NoMatchingVolume",
      message: `no PersistentVolume of the class "${metadata.name}" fits it, and none is made for it`,
      next: "create a PersistentVolume that fits it: orrery get persistentvolumes",
    });
  const failure = o.events.findLast(({ reason }) => reason === "ProvisioningFailed");
  if (failure)
    return failing("its volume cannot be made", {
      reason: "ProvisioningFailed",
      message: failure.message ?? "",
      next: `correct what the message names: ${command(`describe pvc ${claim.metadata.name}`, claim.metadata.namespace)}`,
    });
  if (o.hasDriver === false)
    return failing("waits for its provisioner", {
      reason: "ProvisionerNotFound",
      message: `the provisioner "${provisioner}" of the class "${metadata.name}" does not run in this cluster`,
      object: referenceByName(storageClasses, undefined, metadata.name),
      next: "install the driver, or use another class: orrery get storageclasses",
    });
  return progressing(`${provisioner} makes its volume`);
}

export function decideClaim(claim: PersistentVolumeClaim, o: ClaimObservation): Finding {
  const { metadata, spec = {}, status } = claim;
  if (
    metadata.deletionTimestamp !== undefined &&
    metadata.finalizers?.includes("kubernetes.io/pvc-protection") &&
    o.users?.length
  )
    return waiting("was deleted and is still used", {
      reason: "ClaimInUse",
      message: `the pods ${o.users.join(", ")} use it`,
      next: `it goes away with them: ${command(`delete pod ${o.users[0]}`, metadata.namespace)}`,
    });
  const deletion = deletionFinding(claim);
  if (deletion) return deletion;
  if (isBound(claim)) return asDesired(`is bound to ${spec.volumeName}`);
  if (status?.phase === "Lost")
    return failing("has lost its volume", {
      reason: "VolumeLost",
      message: `the PersistentVolume "${spec.volumeName}" does not exist any more`,
      next: "restore the volume from a snapshot or a copy, or delete the claim",
    });
  const { storageClassName } = spec;
  if (spec.volumeName) {
    const object = referenceByName(persistentVolumes, undefined, spec.volumeName);
    return waiting("waits for its volume", {
      reason: "VolumeNotBound",
      message: `the PersistentVolume "${spec.volumeName}" that it names is missing, or bound to another claim`,
      object,
      next: `orrery describe pv ${spec.volumeName}`,
    });
  }
  if (storageClassName === undefined && o.hasDefaultClass === false)
    return failing("has no class", {
      reason: "NoStorageClass",
      message: "it names no storage class, and the cluster has no default one",
      next: "set spec.storageClassName, or mark a class as the default: orrery get storageclasses",
    });
  if (o.storageClass === "missing")
    return failing("has a class that does not exist", {
      reason: "StorageClassNotFound",
      message: `the storage class "${storageClassName}" does not exist`,
      object: referenceByName(storageClasses, undefined, storageClassName ?? ""),
      next: "use one of the classes of the cluster, or create it: orrery get storageclasses",
    });
  if (o.storageClass && isRead(o.storageClass)) return provisioning(claim, o, o.storageClass);
  if (storageClassName === "")
    return waiting("waits for a volume", {
      reason: "NoMatchingVolume",
      message: "no PersistentVolume without a class fits it, and none is made for it",
      next: "create a PersistentVolume that fits it, or name a storage class",
    });
  const last = o.events.at(-1);
  return last
    ? waiting("is not bound", { reason: last.reason ?? "Pending", message: last.message ?? "" })
    : progressing("is about to be bound");
}

export const claimRule = causeRule({
  kind: persistentVolumeClaims,
  observe,
  decide: decideClaim,
  isAsDesired: isBound,
});
