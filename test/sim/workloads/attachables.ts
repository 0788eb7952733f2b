// Pods whose volumes are attached to nodes by a driver. They are replaced as soon as they end, often on another node.
// Users have volumes grow, delete pods at once, and delete claims; nodes are away for long, and come back.
import { nodes } from "../../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { isReady, isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { PersistentVolumeClaim, Pod, StorageClass } from "../../../api/generated/types.ts";
import { type Draft, key } from "../../../api/meta.ts";
import { unitsOf } from "../../../api/quantity.ts";
import { volumeAttachments } from "../../../api/storage/csi.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { runDriverControllers } from "../../../controllers/csi/controllers.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Random } from "../../../machinery/world.ts";
import { memoryDriver } from "../../suites/memory-driver.ts";
import type { Committed } from "../judge.ts";
import { attachRules, dataRules, idOfNode, type StorageSystem } from "../storage-system.ts";
import { attachmentRules, sizeRules } from "./attachment-rules.ts";
import { claimRules } from "./claims.ts";
import { impatient, outOfService } from "./lost-nodes.ts";
import { staleMs } from "./readiness.ts";
import { userGraceSeconds } from "./readiness.ts";
import { createDriver, storageKinds, storageRules, volumesLeft } from "./storage.ts";
import { type ComponentOf, type NodeControls, oneOf, type Workload } from "./workload.ts";

const driver = "attached.example.com";
const namespace = "default";
const hostname = "kubernetes.io/hostname";
const classes: readonly Pick<Draft<StorageClass>, "metadata" | "reclaimPolicy" | "volumeBindingMode">[] = [
  { metadata: { name: "once" }, reclaimPolicy: "Delete", volumeBindingMode: "WaitForFirstConsumer" },
  { metadata: { name: "many" }, reclaimPolicy: "Delete", volumeBindingMode: "Immediate" },
  { metadata: { name: "held" }, reclaimPolicy: "Retain", volumeBindingMode: "Immediate" },
];
/** Claims, and how many pods use each. */
const claims: Readonly<Record<string, number>> = { "once-a": 1, "once-b": 1, "many-a": 2, "held-a": 1 };
const claimNames = Object.keys(claims);
const classOf = (claim: string): string => claim.slice(0, claim.indexOf("-"));
const claimDraft = (name: string): Draft<PersistentVolumeClaim> => ({
  kind: "PersistentVolumeClaim",
  metadata: { name, namespace },
  spec: {
    accessModes: [classOf(name) === "many" ? "ReadWriteMany" : "ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: classOf(name),
  },
});
const userOf = (pod: Pod): string => pod.metadata.labels?.["claim"] ?? "";
/** A pod that uses a claim, on this node if that is possible. */
const podDraft = (claim: string, name: string, nodeName: string): Draft<Pod> => ({
  kind: "Pod",
  metadata: { name, namespace, labels: { claim } },
  spec: {
    containers: [{ name: "main", image: "app:1" }],
    tolerations: impatient,
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, preference: { matchExpressions: [{ key: hostname, operator: "In", values: [nodeName] }] } },
        ],
      },
    },
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }],
  },
});
const isLive = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && !isTerminal(pod);
const deleteAtOnce = (user: Client, { metadata }: Pod): Promise<unknown> =>
  user.delete(pods, key(namespace, metadata.name), { gracePeriodSeconds: 0 });
const podsOf = async (client: Client): Promise<readonly Pod[]> =>
  (await client.list(pods, { namespace, labelSelector: "claim" })).items;

/** Creates claims that users have deleted, and pods in place of those that end. */
async function administer(client: Client, newPod: (claim: string) => Draft<Pod>): Promise<void> {
  const found = (await client.list(persistentVolumeClaims, { namespace })).items;
  for (const name of claimNames)
    if (!found.some(({ metadata }) => metadata.name === name))
      await client.create(persistentVolumeClaims, claimDraft(name));
  const isLeaving = (name: string): boolean =>
    found.some(({ metadata }) => metadata.name === name && metadata.deletionTimestamp !== undefined);
  const all = await podsOf(client);
  // A pod that was scheduled when its claim was being deleted keeps the claim, and never starts, as in Kubernetes.
  const isStuck = (pod: Pod): boolean => isTerminal(pod) || (isLeaving(userOf(pod)) && !isReady(pod));
  for (const pod of all) if (isStuck(pod) && !pod.metadata.deletionTimestamp) await deleteAtOnce(client, pod);
  for (const claim of claimNames) {
    const missing = claims[claim]! - all.filter((pod) => userOf(pod) === claim && isLive(pod)).length;
    for (let i = 0; i < missing; i++) await client.create(pods, newPod(claim));
  }
}
const administrationMs = 5_000;

/** The driver keeps its volumes when the controllers beside it are killed. */
const component: ComponentOf = ({ world, isPeaceful, storage, nodeNames }) => {
  const memory = memoryDriver({
    ...{ capabilities: ["PUBLISH_UNPUBLISH_VOLUME"], nodeExpansionRequired: true, attachesToMany: true },
  });
  let serial = 0;
  const newPod = (claim: string): Draft<Pod> =>
    podDraft(claim, `${claim}-${serial++}`, oneOf(nodeNames, world.random)!);
  return async (client, signal) => {
    const calls = storage.serve({ driver, memory, attaches: { isPeaceful } }, signal);
    const rounds = async (): Promise<void> => {
      while (!signal.aborted) {
        await administer(client, newPod).catch(() => {});
        await world.clock.sleep(administrationMs, signal);
      }
    };
    await Promise.all([rounds(), runDriverControllers({ driver, calls }, client, world, signal)]);
  };
};

/** Users delete what a node that is away does not end. */
async function deleteStuck(user: Client, nodeName: string): Promise<void> {
  for (const pod of await podsOf(user))
    if (pod.spec.nodeName === nodeName && !isLive(pod)) await deleteAtOnce(user, pod);
}
async function taint(user: Client, name: string, isTainted: boolean): Promise<void> {
  const { metadata, spec } = await user.get(nodes, key(undefined, name));
  const others = (spec.taints ?? []).filter((t) => t.key !== outOfService);
  const taints = isTainted ? [...others, { key: outOfService, effect: "NoExecute" }] : others;
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { taints } };
  await user.patch(nodes, key(undefined, name), { type: "merge", patch });
}

/** Until the node is known to be lost, and its pods are to be evicted. */
const noticedMs = 60_000;
const shortOutageMs = 150_000;
/** Longer than a volume stays attached to a node that is away. */
const longOutageMs = 480_000;
/** Until everything is as it was. */
const returnMs = 30_000;
type Outage = (controls: NodeControls, nodeName: string, longMs: number, signal: AbortSignal) => Promise<unknown>;
const outageKinds: readonly Outage[] = [
  async ({ user, world, powerOff }, name, longMs, signal) => {
    const off = powerOff(name, longMs);
    await world.clock.sleep(noticedMs, signal);
    await deleteStuck(user, name);
    await off;
  },
  async ({ user, world, cutOff }, name, longMs, signal) => {
    const off = cutOff(name, longMs);
    await world.clock.sleep(noticedMs, signal);
    await deleteStuck(user, name);
    await off;
  },
  async ({ user, world, powerOff }, name, _, signal) => {
    const off = powerOff(name, shortOutageMs);
    await world.clock.sleep(noticedMs, signal);
    await taint(user, name, true);
    await off;
    await world.clock.sleep(returnMs, signal);
    await taint(user, name, false);
  },
  async ({ user, world, powerOff }, name, longMs, signal) => {
    const off = powerOff(name, longMs);
    await world.clock.sleep(noticedMs, signal);
    await user.delete(nodes, key(undefined, name));
    await off;
  },
  // A kubelet registers its node when it is started.
  async ({ user, world, cutOff, powerOff, declareGone }, name, longMs, signal) => {
    const off = cutOff(name, longMs);
    await world.clock.sleep(noticedMs, signal);
    declareGone(name);
    await user.delete(nodes, key(undefined, name));
    await off;
    await powerOff(name, 0);
  },
];
async function outages(controls: NodeControls, signal: AbortSignal): Promise<void> {
  const { world, nodeNames, leftMs } = controls;
  await world.clock.sleep(world.random.next() * noticedMs, signal);
  while (leftMs() > shortOutageMs + 2 * returnMs) {
    const longMs = Math.min(longOutageMs, leftMs() - returnMs);
    await oneOf(outageKinds, world.random)!(controls, oneOf(nodeNames, world.random)!, longMs, signal).catch(() => {});
    await world.clock.sleep(world.random.next() * noticedMs, signal);
  }
}

async function meddle(user: Client, random: Random): Promise<unknown> {
  const dice = random.next();
  const claim = oneOf(claimNames, random)!;
  if (dice < 0.4) {
    const requests = { storage: `${1 + Math.floor(random.next() * 4)}Gi` };
    const patch = { spec: { resources: { requests } } };
    return user.patch(persistentVolumeClaims, key(namespace, claim), { type: "merge", patch });
  }
  const users = (await podsOf(user)).filter((pod) => userOf(pod) === claim);
  if (dice < 0.7) {
    const pod = oneOf(users, random);
    return pod && deleteAtOnce(user, pod);
  }
  if (dice < 0.85) await user.delete(persistentVolumeClaims, key(namespace, claim));
  for (const pod of users)
    await user.delete(pods, key(namespace, pod.metadata.name), { gracePeriodSeconds: userGraceSeconds });
  return undefined;
}

function claimFaults({ metadata, spec, status }: PersistentVolumeClaim): readonly string[] {
  const { name } = metadata;
  if (status?.phase !== "Bound") return [`claim ${name} is ${status?.phase}`];
  const [requested, capacity] = [spec.resources?.requests?.["storage"], status.capacity?.["storage"]];
  return unitsOf(requested) > unitsOf(capacity) ? [`claim ${name} has ${capacity} of ${requested}`] : [];
}
/** How long a leader keeps what is attached to a node that is gone; each counts for itself. */
const goneNodeMs = 360_000;

/** What keeps attachments from being those that the pods need, in the API and in the storage. */
function attachmentFaults(committed: Committed, users: readonly Pod[], storage: StorageSystem): readonly string[] {
  const all = committed.all(volumeAttachments);
  const volumes = new Map(committed.all(persistentVolumes).map((volume) => [volume.metadata.name, volume]));
  const isUsed = (claim: string | undefined, nodeName: string): boolean =>
    users.some((pod) => userOf(pod) === claim && pod.spec.nodeName === nodeName);
  const known = new Set(committed.all(nodes).map(({ metadata }) => metadata.name));
  const isNewLeader = committed.at < committed.leadingSince + goneNodeMs + staleMs;
  const mayStay = (nodeName: string): boolean => isNewLeader && !known.has(nodeName);
  const places = all.map(({ spec }) => {
    const { csi, claimRef } = volumes.get(spec.source.persistentVolumeName ?? "")?.spec ?? {};
    const isExpected = isUsed(claimRef?.name, spec.nodeName) || mayStay(spec.nodeName);
    return { at: `${csi?.volumeHandle} ${idOfNode(spec.nodeName)}`, isExpected };
  });
  return [
    ...places.flatMap(({ at, isExpected }) => (isExpected ? [] : [`${at} is attached and not used`])),
    ...storage.left(new Set(places.map(({ at }) => at)), new Set(committed.all(pods).map((p) => p.metadata.uid))),
  ];
}

export const attachableWorkload: Workload = {
  kinds: [...storageKinds, volumeAttachments],
  component,
  outages,
  drivers: [driver],
  accusations: [...attachRules, ...dataRules],
  async begin(user) {
    await createDriver(user, driver, true);
    for (const each of classes)
      await user.create(storageClasses, {
        ...each,
        kind: "StorageClass",
        provisioner: driver,
        allowVolumeExpansion: true,
      });
  },
  meddle,
  rules: (storage) => [
    ...[...storageRules(storage), ...claimRules],
    ...[...attachmentRules(storage), ...sizeRules(storage)],
  ],
  unsettled(committed, storage) {
    const users = committed.all(pods).filter((pod) => userOf(pod) !== "");
    const found = committed.all(persistentVolumeClaims).filter(({ metadata }) => metadata.name in claims);
    return [
      ...claimNames.flatMap((name) => {
        const ready = users.filter((pod) => userOf(pod) === name && isReady(pod)).length;
        return ready === claims[name] ? [] : [`${ready} pods of ${name} are ready`];
      }),
      ...found.flatMap(claimFaults),
      ...volumesLeft(committed.all(persistentVolumes), committed.all(persistentVolumeClaims)),
      ...attachmentFaults(committed, users, storage),
    ];
  },
};
