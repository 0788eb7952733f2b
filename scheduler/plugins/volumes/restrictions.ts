// Volumes that pods exclude each other from: a claim that only one pod may use, and a disk that only one pod on a node
// may write to. Source: the Kubernetes concepts page, "Persistent Volumes", ReadWriteOncePod.
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import type { Pod, Volume } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import {
  type Change,
  type SchedulerPlugin,
  skip,
  type Snapshot,
  unresolvable,
  unschedulable,
} from "../../framework.ts";
import type { NodeInfo, PodInfo } from "../../node-info.ts";
import { isClaimOf } from "./claims.ts";

/** A kind of disk: whether two volumes are the same one. Pods that only read it do not exclude each other. */
interface DiskKind {
  readonly isShared: (a: Volume, b: Volume) => boolean;
  readonly isReadOnly: (v: Volume) => boolean;
}
const diskKinds: readonly DiskKind[] = [
  {
    isShared: (a, b) => a.gcePersistentDisk !== undefined && a.gcePersistentDisk.pdName === b.gcePersistentDisk?.pdName,
    isReadOnly: (v) => v.gcePersistentDisk?.readOnly === true,
  },
  {
    isShared: (a, b) =>
      a.awsElasticBlockStore !== undefined && a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore?.volumeID,
    isReadOnly: () => false,
  },
  {
    isShared: (a, b) => a.iscsi !== undefined && a.iscsi.iqn === b.iscsi?.iqn,
    isReadOnly: (v) => v.iscsi?.readOnly === true,
  },
  {
    isShared: ({ rbd: a }, { rbd: b }) =>
      a !== undefined &&
      b !== undefined &&
      a.monitors.some((monitor) => b.monitors.includes(monitor)) &&
      a.pool === b.pool &&
      a.image === b.image,
    isReadOnly: (v) => v.rbd?.readOnly === true,
  },
];
const isDisk = (v: Volume): boolean => diskKinds.some(({ isShared }) => isShared(v, v));
const conflict = (a: Volume, b: Volume): boolean =>
  diskKinds.some(({ isShared, isReadOnly }) => isShared(a, b) && !(isReadOnly(a) && isReadOnly(b)));

interface Restrictions {
  readonly disks: readonly Volume[];
  readonly namespace: string | undefined;
  /** The names of claims that one pod alone may use. */
  readonly exclusive: readonly string[];
  /** How often other pods use them. */
  readonly uses: number;
}

const usesBy = (exclusive: readonly string[], namespace: string | undefined, { pod, claimNames }: PodInfo): number =>
  pod.metadata.namespace === namespace ? claimNames.filter((name) => exclusive.includes(name)).length : 0;

function restrictionsOf({ pod }: PodInfo, { lister, nodes }: Snapshot): Restrictions | string {
  const { namespace } = pod.metadata;
  const named = (pod.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []);
  const exclusive: string[] = [];
  for (const name of named) {
    const claim = lister(persistentVolumeClaims).get(key(namespace, name));
    if (!claim) return `persistentvolumeclaim "${name}" not found`;
    if (claim.spec.accessModes?.includes("ReadWriteOncePod")) exclusive.push(name);
  }
  let uses = 0;
  if (exclusive.length > 0)
    for (const { podsWithClaims } of nodes)
      for (const other of podsWithClaims.values()) uses += usesBy(exclusive, namespace, other);
  return { disks: (pod.spec.volumes ?? []).filter(isDisk), namespace, exclusive, uses };
}
const changed = (state: Restrictions, other: PodInfo, sign: 1 | -1): Restrictions => ({
  ...state,
  uses: state.uses + sign * usesBy(state.exclusive, state.namespace, other),
});

const hasConflict = (disks: readonly Volume[], { pods }: NodeInfo): boolean =>
  disks.length > 0 &&
  [...pods.values()].some(({ pod }) => pod.spec.volumes?.some((other) => disks.some((disk) => conflict(disk, other))));

const occupied = unschedulable("node(s) had no available disk");
const inUse = unschedulable(
  "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
);

export const volumeRestrictions: SchedulerPlugin<Restrictions> = {
  name: "VolumeRestrictions",
  reads: [persistentVolumeClaims],
  events: [
    {
      resource: "AssignedPod",
      actions: ["Delete"],
      isSchedulableAfter: ({ metadata, spec }, { before }: Change<Pod>) =>
        before !== undefined &&
        before.metadata.namespace === metadata.namespace &&
        (spec.volumes ?? []).some(
          (v) =>
            claimNamesOf(before).includes(v.persistentVolumeClaim?.claimName ?? "") ||
            (before.spec.volumes ?? []).some((other) => conflict(v, other)),
        ),
    },
    { resource: "Node", actions: ["Add"] },
    { resource: "PersistentVolumeClaim", actions: ["Add"], isSchedulableAfter: isClaimOf },
  ],
  preFilter(info, snapshot) {
    if (!info.pod.spec.volumes?.length) return skip;
    const state = restrictionsOf(info, snapshot);
    if (typeof state === "string") return unresolvable(state);
    return state.disks.length + state.uses === 0 ? skip : { state };
  },
  addPod: (state, added) => changed(state, added, 1),
  removePod: (state, removed) => changed(state, removed, -1),
  filter({ disks, uses }, node) {
    if (hasConflict(disks, node)) return occupied;
    return uses > 0 ? inUse : undefined;
  },
};
