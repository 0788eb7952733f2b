// Claims, volumes, classes and CSI objects for scheduling tests, and listers of them.
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  VolumeAttachment,
} from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type ObjectMeta, revision } from "../../../api/meta.ts";
import { type Lister, type View, view } from "../../../machinery/view.ts";
import { byNamespace, type Snapshot } from "../../../scheduler/framework.ts";
import { storedMeta } from "../stored-meta.ts";

type More<T> = { readonly meta?: Partial<ObjectMeta>; readonly spec?: Partial<T>; readonly status?: object };

/** A claim of 5Gi in the class `wait`. */
export const claim = (
  name: string,
  { meta = {}, spec = {}, status = { phase: "Pending" } }: More<PersistentVolumeClaim["spec"]> = {},
): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: storedMeta(name, { namespace: "default", ...meta }),
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "5Gi" } },
    storageClassName: "wait",
    ...spec,
  },
  status,
});
/** A claim that the binder has bound. */
export const boundClaim = (name: string, volumeName: string, spec: Partial<PersistentVolumeClaim["spec"]> = {}) =>
  claim(name, {
    meta: { annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
    spec: { volumeName, ...spec },
    status: { phase: "Bound" },
  });
/** An available volume of 5Gi in the class `wait`. */
export const volume = (
  name: string,
  { meta = {}, spec = {} }: More<PersistentVolume["spec"]> = {},
): PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: storedMeta(name, meta),
  spec: {
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "5Gi" },
    storageClassName: "wait",
    ...(!spec.csi && { hostPath: { path: "/data" } }),
    ...spec,
  },
  status: { phase: "Available" },
});
/** Reachable only from nodes with this value of the label `disk`. */
export const reachableFrom = (...values: readonly string[]): Partial<PersistentVolume["spec"]> => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "disk", operator: "In", values }] }] } },
});
export const storageClass = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: storedMeta(name),
  provisioner: "disks.example.org",
  volumeBindingMode: "WaitForFirstConsumer",
  ...more,
});
export const csiDriver = (name: string, spec: CSIDriver["spec"]): CSIDriver => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "CSIDriver",
  metadata: storedMeta(name),
  spec,
});
export const capacity = (name: string, more: Partial<CSIStorageCapacity>): CSIStorageCapacity => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "CSIStorageCapacity",
  metadata: storedMeta(name, { namespace: "kube-system" }),
  storageClassName: "wait",
  ...more,
});
/** A node whose driver `disks.example.org` takes this many volumes. */
export const csiNode = (name: string, count: number): CSINode => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "CSINode",
  metadata: storedMeta(name),
  spec: { drivers: [{ name: "disks.example.org", nodeID: name, allocatable: { count } }] },
});
export const attachment = (nodeName: string, persistentVolumeName: string): VolumeAttachment => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "VolumeAttachment",
  metadata: storedMeta(`${nodeName}-${persistentVolumeName}`),
  spec: { attacher: "disks.example.org", nodeName, source: { persistentVolumeName } },
});

type Volumes = NonNullable<Pod["spec"]["volumes"]>;
export const mounts = (...claimNames: readonly string[]): Volumes =>
  claimNames.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
export const ephemeral: Volumes = [
  { name: "scratch", ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"] } } } },
];
export const podWith = (name: string, volumes: Volumes | undefined, spec: Partial<Pod["spec"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: storedMeta(name, { namespace: "default" }),
  spec: { containers: [{ name: "c", image: "a:1" }], ...(volumes && { volumes }), ...spec },
});

/** Listers of these objects, which stay as they are. */
export function listersOf(objects: readonly ApiObject[]): Snapshot["lister"] {
  const views = new Map<string, View<ApiObject>>();
  for (const object of objects) {
    const known = views.get(object.kind) ?? view<ApiObject>(byNamespace);
    views.set(object.kind, known);
    known.set(object);
  }
  return <T extends ApiObject>({ kind }: ResourceDefinition<T>) => {
    const found = views.get(kind) ?? view<ApiObject>(byNamespace);
    return { ...found, revision: revision(1) } as unknown as Lister<T>;
  };
}
