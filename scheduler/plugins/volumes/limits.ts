// How many volumes of a driver a node can take: CSINode says it, and volumes that its pods use or that are attached to
// it count, each once.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { classNameOf } from "../../../api/core/volume-matching.ts";
import type { CSINode, PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { key, keyOf } from "../../../api/meta.ts";
import { csiNodes, volumeAttachments } from "../../../api/storage/csi.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { type Change, type SchedulerPlugin, skip, type Snapshot, unschedulable } from "../../framework.ts";
import type { NodeInfo, PodInfo } from "../../node-info.ts";
import { claimKeysOf, ownClaims } from "./claims.ts";

/** A volume is called `driver/handle`, or `driver/namespace/claim` before it exists. */
type DriverVolume = readonly [volume: string, driver: string];

interface Limits {
  /** Drivers by volume. */
  readonly added: ReadonlyMap<string, string>;
  readonly lister: Snapshot["lister"];
  /** Volumes that are attached, by node name. */
  readonly attached: ReadonlyMap<string, readonly DriverVolume[]>;
}

function ofVolume(volume: PersistentVolume | undefined): DriverVolume | undefined {
  const csi = volume?.spec.csi;
  return csi && [`${csi.driver}/${csi.volumeHandle}`, csi.driver];
}
function ofClaim(claim: PersistentVolumeClaim, lister: Snapshot["lister"]): DriverVolume | undefined {
  if (claim.spec.volumeName) return ofVolume(lister(persistentVolumes).get(key(undefined, claim.spec.volumeName)));
  const driver = lister(storageClasses).get(key(undefined, classNameOf(claim)))?.provisioner;
  return driver === undefined ? undefined : [`${driver}/${keyOf(claim)}`, driver];
}
const volumesOf = (info: PodInfo, lister: Snapshot["lister"]): readonly DriverVolume[] =>
  claimKeysOf(info).flatMap((claimKey) => {
    const claim = lister(persistentVolumeClaims).get(claimKey);
    const volume = claim && ofClaim(claim, lister);
    return volume ? [volume] : [];
  });

function attachedVolumes(lister: Snapshot["lister"]): Limits["attached"] {
  const byNode = new Map<string, DriverVolume[]>();
  for (const { spec } of lister(volumeAttachments).all()) {
    const name = spec.source.persistentVolumeName;
    const volume = name === undefined ? undefined : ofVolume(lister(persistentVolumes).get(key(undefined, name)));
    if (!volume) continue;
    const known = byNode.get(spec.nodeName);
    if (known) known.push(volume);
    else byNode.set(spec.nodeName, [volume]);
  }
  return byNode;
}

/** By driver; a driver without a limit is absent. */
const limitsOf = (node: CSINode | undefined): ReadonlyMap<string, number> =>
  new Map(
    (node?.spec.drivers ?? []).flatMap(({ name, allocatable }) =>
      allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
    ),
  );

function isExceeded({ added, lister, attached }: Limits, node: NodeInfo): boolean {
  const limits = limitsOf(lister(csiNodes).get(key(undefined, node.name)));
  if (![...added.values()].some((driver) => limits.has(driver))) return false;
  const present = new Map([
    ...(attached.get(node.name) ?? []),
    ...[...node.podsWithClaims.values()].flatMap((other) => volumesOf(other, lister)),
  ]);
  const missing = [...added].filter(([volume]) => !present.has(volume));
  const counts = Map.groupBy([...present, ...missing], ([, driver]) => driver);
  return missing.some(([, driver]) => (counts.get(driver)?.length ?? 0) > (limits.get(driver) ?? Infinity));
}

const grew = (_: Pod, { before, after }: Change<CSINode>): boolean => {
  const [then, now] = [limitsOf(before), limitsOf(after)];
  return before === undefined || [...then].some(([driver, limit]) => (now.get(driver) ?? Infinity) > limit);
};

const tooMany = unschedulable("node(s) exceed max volume count");
const reads: readonly ResourceDefinition[] = [
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  csiNodes,
  volumeAttachments,
];

export const nodeVolumeLimits: SchedulerPlugin<Limits> = {
  name: "NodeVolumeLimits",
  reads,
  events: [
    { resource: "CSINode", actions: ["Add", "Update"], isSchedulableAfter: grew },
    {
      resource: "AssignedPod",
      actions: ["Delete"],
      isSchedulableAfter: (_, { before }: Change<Pod>) =>
        before?.spec.volumes?.some((v) => v.persistentVolumeClaim !== undefined || v.ephemeral !== undefined) === true,
    },
    ownClaims,
    { resource: "VolumeAttachment", actions: ["Delete"] },
  ],
  preFilter(info, { lister }) {
    if (info.claimNames.length === 0) return skip;
    const added = new Map(volumesOf(info, lister));
    return added.size === 0 ? skip : { state: { added, lister, attached: attachedVolumes(lister) } };
  },
  filter: (state, node) => (isExceeded(state, node) ? tooMany : undefined),
};
