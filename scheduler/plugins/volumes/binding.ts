// VolumeBinding: a pod goes where the volumes of its claims are or can be made, and is bound once its claims are.
// Source: the Kubernetes concepts page, "Storage Classes"; KEP-490 (topology-aware volume scheduling).
import { claimNamesOf, ephemeralClaimName } from "../../../api/core/pod/claims.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import {
  boundTo,
  classNameOf,
  isFullyBound,
  selectedNode,
  waitsForConsumer,
} from "../../../api/core/volume-matching.ts";
import type {
  CSIDriver,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  Volume,
} from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import { hasReason } from "../../../api/errors.ts";
import { controllerOf, key, keyOf, revisionOf } from "../../../api/meta.ts";
import { csiDrivers, csiStorageCapacities } from "../../../api/storage/csi.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import type { Client } from "../../../machinery/client.ts";
import {
  type BindingContext,
  type Change,
  failed,
  type QueueingHint,
  type Rejection,
  type SchedulerPlugin,
  skip,
  type Snapshot,
  unresolvable,
} from "../../framework.ts";
import type { PodInfo } from "../../node-info.ts";
import { type Assumed, assumedObjects } from "../assumed.ts";
import { referenced } from "../referenced.ts";
import { awaitBinding } from "./await-binding.ts";
import { nodeLabels, ownClaims } from "./claims.ts";
import { delayedClaims, nodeOf, planOn, type NodePlan, type PodClaims, volumeLimit } from "./node-plan.ts";

interface BindingState extends PodClaims {
  readonly byName: Snapshot["byName"];
  /** The claims that are bound. */
  readonly boundClaims: readonly PersistentVolumeClaim[];
}

/** The claim of a volume, or why the pod cannot be placed with it. */
function claimOf(pod: Pod, volume: Volume, lister: Snapshot["lister"]): PersistentVolumeClaim | string | undefined {
  const name = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral && ephemeralClaimName(pod, volume.name));
  if (name === undefined) return undefined;
  const { namespace } = pod.metadata;
  const claim = lister(persistentVolumeClaims).get(key(namespace, name));
  if (!claim)
    return volume.ephemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
      : `persistentvolumeclaim "${name}" not found`;
  if (claim.status?.phase === "Lost")
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ""}"`;
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
  if (volume.ephemeral && controllerOf(claim)?.uid !== pod.metadata.uid)
    return `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`;
  return claim;
}

/** The claims of a pod, each once, or why the pod cannot be placed. */
const claimsOf = ({ pod }: PodInfo, lister: Snapshot["lister"]): readonly PersistentVolumeClaim[] | string =>
  referenced(pod.spec.volumes, (volume) => claimOf(pod, volume, lister));

/** The plan as objects to be written: volumes refer to their claims, and claims name the node. */
const bindingsOf = ({ matched, provisioned }: NodePlan, nodeName: string): NodePlan => ({
  matched: matched.map(({ claim, volume }) => ({ claim, volume: boundTo(volume, claim) })),
  provisioned: provisioned.map((claim) => {
    if (nodeOf(claim) === nodeName) return claim;
    const annotations = { ...claim.metadata.annotations, [selectedNode]: nodeName };
    return { ...claim, metadata: { ...claim.metadata, annotations } };
  }),
});

/** Changes that pods wait for which have no node because of their volumes. */
const events: readonly QueueingHint[] = [
  nodeLabels,
  ownClaims as QueueingHint,
  { resource: "PersistentVolume", actions: ["Add", "Update"] },
  {
    resource: "AssignedPod",
    actions: ["Delete"],
    // A reservation of it that was not written ends without a change of a volume.
    isSchedulableAfter: (_, { before }: Change<Pod>) => before !== undefined && claimNamesOf(before).length > 0,
  },
  {
    resource: "StorageClass",
    actions: ["Add", "Update"],
    isSchedulableAfter: (_, { before, after }: Change<StorageClass>) =>
      before === undefined || !sameJson(before.allowedTopologies, after?.allowedTopologies),
  },
  {
    resource: "CSIDriver",
    actions: ["Update"],
    isSchedulableAfter: (_, { before, after }: Change<CSIDriver>) =>
      before?.spec.storageCapacity === true && after?.spec.storageCapacity !== true,
  },
  {
    resource: "CSIStorageCapacity",
    actions: ["Add", "Update"],
    isSchedulableAfter: (_, { before, after }: Change<CSIStorageCapacity>) =>
      before === undefined || (after !== undefined && volumeLimit(after) > volumeLimit(before)),
  },
];

interface AssumedVolumes {
  readonly volumes: Assumed<PersistentVolume>;
  readonly claims: Assumed<PersistentVolumeClaim>;
}

function preFilter(info: PodInfo, { lister, byName }: Snapshot, assumed: AssumedVolumes) {
  if (info.claimNames.length === 0) return skip;
  const claims = claimsOf(info, lister);
  if (typeof claims === "string") return unresolvable(claims);
  const current = claims.map(assumed.claims.of);
  const unbound = current.filter((claim) => !isFullyBound(claim));
  const isDelayed = (claim: PersistentVolumeClaim): boolean =>
    !claim.spec.volumeName && waitsForConsumer(lister(storageClasses).get(key(undefined, classNameOf(claim))));
  if (!unbound.every(isDelayed)) return unresolvable("pod has unbound immediate PersistentVolumeClaims");
  const boundClaims = current.filter(isFullyBound);
  const bound = boundClaims.map(({ spec }) => {
    const volume = lister(persistentVolumes).get(key(undefined, spec.volumeName!));
    return volume && assumed.volumes.of(volume);
  });
  return { state: { byName, bound, boundClaims, delayed: delayedClaims(unbound, lister, assumed.volumes.of) } };
}

/**
 * Rejects a pod whose claims were taken for bound and are not: a view that is behind the pod may show a claim that was
 * deleted and made again since. What the view shows later cannot differ, because the pod protects its claims.
 */
async function outdated(
  { pod }: PodInfo,
  claims: readonly PersistentVolumeClaim[],
  { client, lister }: BindingContext,
): Promise<Rejection | undefined> {
  if (lister(persistentVolumeClaims).revision >= revisionOf(pod)) return undefined;
  for (const claim of claims) {
    const stored = await client.get(persistentVolumeClaims, keyOf(claim)).catch((e: unknown) => {
      if (!hasReason(e, "NotFound")) throw e;
    });
    if (stored?.metadata.uid !== claim.metadata.uid)
      return failed(`persistentvolumeclaim "${claim.metadata.name}" was deleted and made again`);
  }
  return undefined;
}

/** Writes what is not stored yet; the results are assumed until the views show them. */
async function write({ matched, provisioned }: NodePlan, assumed: AssumedVolumes, client: Client): Promise<NodePlan> {
  const volumes: NodePlan["matched"][number][] = [];
  for (const { claim, volume } of matched)
    volumes.push({ claim, volume: await assumed.volumes.written(volume, (v) => client.update(persistentVolumes, v)) });
  const claims: PersistentVolumeClaim[] = [];
  for (const claim of provisioned)
    claims.push(await assumed.claims.written(claim, (c) => client.update(persistentVolumeClaims, c)));
  return { matched: volumes, provisioned: claims };
}

/** What is assumed for a pod. Pods that use the same claim rely on what is assumed for the first. */
interface Reservation {
  readonly bindings: NodePlan;
  readonly volumes: readonly PersistentVolume[];
  readonly claims: readonly PersistentVolumeClaim[];
}
function reservationOf(plan: NodePlan, nodeName: string): Reservation {
  const bindings = bindingsOf(plan, nodeName);
  return {
    bindings,
    volumes: bindings.matched.map(({ volume }) => volume).filter((volume, i) => volume !== plan.matched[i]!.volume),
    claims: bindings.provisioned.filter((claim, i) => claim !== plan.provisioned[i]),
  };
}

/**
 * A plugin with nothing reserved. What it reserves is taken for later pods, before anything is written. The claims of a
 * pod must be bound within the time.
 */
export function volumeBinding(bindTimeoutMs = 600_000): SchedulerPlugin<BindingState | undefined> {
  const assumed: AssumedVolumes = { volumes: assumedObjects(), claims: assumedObjects() };
  const reservations = new Map<string, Reservation>();
  return {
    name: "VolumeBinding",
    prefiltersReserved: true,
    reads: [persistentVolumeClaims, persistentVolumes, storageClasses, csiDrivers, csiStorageCapacities],
    events,
    preFilter: (info, snapshot) => preFilter(info, snapshot, assumed),
    filter(state, node) {
      const plan = planOn(state!, node);
      return "code" in plan ? plan : undefined;
    },
    reserve(state, { pod }, nodeName) {
      if (!state || state.delayed.length === 0) return undefined;
      const plan = planOn(state, state.byName.get(nodeName)!);
      if ("code" in plan) return plan;
      const reservation = reservationOf(plan, nodeName);
      for (const volume of reservation.volumes) assumed.volumes.assume(volume);
      for (const claim of reservation.claims) assumed.claims.assume(claim);
      reservations.set(pod.metadata.uid, reservation);
      return undefined;
    },
    unreserve(_, { pod }) {
      const reservation = reservations.get(pod.metadata.uid);
      if (!reservation) return;
      reservations.delete(pod.metadata.uid);
      for (const volume of reservation.volumes) assumed.volumes.forget(volume);
      for (const claim of reservation.claims) assumed.claims.forget(claim);
    },
    async preBind(state, info, nodeName, context) {
      const { pod } = info;
      const rejection = state && (await outdated(info, state.boundClaims, context));
      if (rejection) return rejection;
      const reservation = reservations.get(pod.metadata.uid);
      if (!reservation) return undefined;
      const written = await write(reservation.bindings, assumed, context.client);
      return awaitBinding(pod, nodeName, written, context, bindTimeoutMs);
    },
    postBind: ({ pod }) => void reservations.delete(pod.metadata.uid),
  };
}
