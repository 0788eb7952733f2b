// Pods whose volumes belong to nodes: volumes that an administrator made, and volumes of a driver on every node, which
// are bound once their pods are scheduled. Users delete claims, and drivers run out of room.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { isReady } from "../../../api/core/pod/status.ts";
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import { pods } from "../../../api/core/pods.ts";
import { hasReason } from "../../../api/errors.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type Draft, key } from "../../../api/meta.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { runDriverControllers } from "../../../controllers/csi/controllers.ts";
import type { Client } from "../../../machinery/client.ts";
import { memoryDriver } from "../../suites/memory-driver.ts";
import type { Rule } from "../judge.ts";
import { dataRules } from "../storage-system.ts";
import { impatient } from "./lost-nodes.ts";
import { userGraceSeconds } from "./readiness.ts";
import { createDriver, storageKinds, storageRules, volumesLeft } from "./storage.ts";
import { type ComponentOf, oneOf, type Workload } from "./workload.ts";

const driver = "nodes.example.com";
const hostname = "kubernetes.io/hostname";
const classes: readonly Pick<Draft<StorageClass>, "provisioner" | "reclaimPolicy" | "metadata">[] = [
  { metadata: { name: "made" }, provisioner: "kubernetes.io/no-provisioner", reclaimPolicy: "Retain" },
  { metadata: { name: "local" }, provisioner: driver, reclaimPolicy: "Delete" },
  { metadata: { name: "kept" }, provisioner: driver, reclaimPolicy: "Retain" },
];

/** A volume on one of the nodes that every cluster has. */
const madeVolume = (i: number): Draft<PersistentVolume> => ({
  kind: "PersistentVolume",
  metadata: { name: `made-${i}` },
  spec: {
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: `${1 + (i % 2)}Gi` },
    hostPath: { path: "/data" },
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "made",
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: hostname, operator: "In", values: [`node-${i % 3}`] }] }],
      },
    },
  },
});
const namespace = "default";
const claimDraft = (name: string): Draft<PersistentVolumeClaim> => ({
  kind: "PersistentVolumeClaim",
  metadata: { name, namespace },
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: name.slice(0, name.indexOf("-")),
  },
});
const claimNames = ["made-a", "made-b", "made-c", "local-a", "local-b", "kept-a"];
/** Pods and their claims; two pods share one, and one has two. */
const members: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(claimNames.map((name) => [`uses-${name}`, [name]])),
  "uses-made-a-too": ["made-a"],
  "uses-two": ["local-c", "kept-c"],
};
const allClaims = [...new Set(Object.values(members).flat())];
const usersOf = (claimName: string): readonly string[] =>
  Object.keys(members).filter((pod) => members[pod]!.includes(claimName));
const podDraft = (name: string): Draft<Pod> => ({
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    containers: [{ name: "main", image: "app:1" }],
    tolerations: impatient,
    volumes: members[name]!.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
  },
});

async function ensure<T extends ApiObject>(
  client: Client,
  kind: ResourceDefinition<T>,
  draft: Draft<T>,
): Promise<void> {
  try {
    await client.get(kind, key(draft.metadata.namespace, draft.metadata.name!));
  } catch (e) {
    if (hasReason(e, "NotFound")) await client.create(kind, draft);
  }
}
/** Creates what users have deleted, and makes volumes available again that have no claim any more. */
async function administer(client: Client): Promise<void> {
  for (const name of allClaims) await ensure(client, persistentVolumeClaims, claimDraft(name));
  for (const name of Object.keys(members)) await ensure(client, pods, podDraft(name));
  for (const { metadata, spec, status } of (await client.list(persistentVolumes)).items) {
    if (spec.storageClassName !== "made" || status?.phase !== "Released") continue;
    const patch = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { claimRef: null } };
    await client.patch(persistentVolumes, key(undefined, metadata.name), { type: "merge", patch });
  }
}
const administrationMs = 5_000;

/** Drivers keep their volumes when the controllers beside them are killed. */
const component: ComponentOf = ({ world, nodeNames, isPeaceful, storage }) => {
  const drivers = nodeNames.map((name) => {
    const segments = { [hostname]: name };
    return { node: { name, segments }, memory: memoryDriver({ segments }) };
  });
  const rounds = async (client: Client, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      for (const { memory } of drivers)
        memory.capacity = isPeaceful() || world.random.next() < 0.8 ? Number.POSITIVE_INFINITY : 0;
      await administer(client).catch(() => {});
      await world.clock.sleep(administrationMs, signal);
    }
  };
  return async (client, signal) => {
    const running = drivers.map(({ node, memory }) => {
      const calls = storage.serve({ driver, memory, node: node.name }, signal);
      return runDriverControllers({ driver, calls, node }, client, world, signal);
    });
    await Promise.all([rounds(client, signal), ...running]);
  };
};

const twice = "claim bound to two volumes";
const boundTwice: Rule<PersistentVolume> = {
  name: twice,
  kind: persistentVolumes,
  broken(volume, _, committed) {
    const uid = volume?.status?.phase === "Bound" ? volume.spec.claimRef?.uid : undefined;
    if (!volume || uid === undefined) return undefined;
    const bound = committed
      .all(persistentVolumes)
      .filter(({ spec, status }) => status?.phase === "Bound" && spec.claimRef?.uid === uid);
    return bound.length > 1 ? bound.map(({ metadata }) => metadata.name).join() : undefined;
  },
};
const rebound: Rule<PersistentVolumeClaim> = {
  name: twice,
  kind: persistentVolumeClaims,
  broken: (claim, before) =>
    before?.spec.volumeName && claim && claim.spec.volumeName !== before.spec.volumeName
      ? claim.metadata.name
      : undefined,
};
/** No user deletes volumes. */
const retained: Rule<PersistentVolume> = {
  name: "retained volume deleted",
  kind: persistentVolumes,
  broken(volume, before) {
    const isDeleted = volume === undefined || volume.metadata.deletionTimestamp !== undefined;
    return isDeleted && before?.spec.persistentVolumeReclaimPolicy === "Retain" ? before.metadata.name : undefined;
  },
};
/** Of workloads whose users delete claims, and no volumes. */
export const claimRules: readonly Rule[] = [boundTwice, rebound, retained];
const outOfReach: Rule<Pod> = {
  name: "pod out of reach of its volume",
  kind: pods,
  broken(pod, before, committed) {
    if (!pod?.spec.nodeName || before?.spec.nodeName) return undefined;
    const names = claimNamesOf(pod);
    const used = committed
      .all(persistentVolumeClaims)
      .flatMap(({ metadata, spec }) => (names.includes(metadata.name) ? (spec.volumeName ?? []) : []));
    const elsewhere = committed.all(persistentVolumes).filter(({ metadata, spec }) => {
      const [expression] = spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions ?? [];
      return used.includes(metadata.name) && expression?.values?.includes(pod.spec.nodeName!) === false;
    });
    return elsewhere.length > 0 ? `${pod.metadata.name} of ${elsewhere[0]!.metadata.name}` : undefined;
  },
};

export const claimWorkload: Workload = {
  kinds: storageKinds,
  component,
  accusations: dataRules,
  async begin(user) {
    await createDriver(user, driver);
    for (const each of classes)
      await user.create(storageClasses, {
        ...each,
        kind: "StorageClass",
        volumeBindingMode: "WaitForFirstConsumer",
      });
    for (let i = 0; i < 5; i++) await user.create(persistentVolumes, madeVolume(i));
  },
  async meddle(user, random) {
    const name = oneOf(allClaims, random)!;
    await user.delete(persistentVolumeClaims, key(namespace, name));
    for (const pod of usersOf(name))
      await user.delete(pods, key(namespace, pod), { gracePeriodSeconds: userGraceSeconds });
  },
  rules: (storage) => [...storageRules(storage), ...claimRules, outOfReach],
  unsettled(committed) {
    const found = new Map(committed.all(pods).map((pod) => [pod.metadata.name, pod]));
    const claims = committed.all(persistentVolumeClaims);
    const bound = new Set(claims.flatMap((c) => (c.status?.phase === "Bound" ? [c.metadata.name] : [])));
    const isStuck = (name: string): boolean => !found.has(name) || !isReady(found.get(name)!);
    // A pod may be scheduled by a view that shows the claim before this one of its name. Then nothing binds this one, as
    // in Kubernetes, until a user deletes the pod.
    const isScheduled = (name: string): boolean => usersOf(name).some((pod) => found.get(pod)?.spec.nodeName);
    return [
      ...Object.keys(members).flatMap((name) => (isStuck(name) ? [`pod ${name} is not ready`] : [])),
      ...allClaims.flatMap((name) => (bound.has(name) || isScheduled(name) ? [] : [`claim ${name} is not bound`])),
      ...volumesLeft(committed.all(persistentVolumes), claims),
    ];
  },
};
