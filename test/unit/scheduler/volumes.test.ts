// The node of a pod with volumes, or the reasons against all nodes; and the changes that pods without a node wait for.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { type ApiObject, keyOf } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { plainEvents, queueingHints } from "../../../scheduler/cluster-events.ts";
import { nodeAccount } from "../../../scheduler/node-info.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { delayedClaims, planOn } from "../../../scheduler/plugins/volumes/node-plan.ts";
import {
  attachment,
  boundClaim,
  capacity,
  claim,
  csiDriver,
  csiNode,
  ephemeral,
  listersOf,
  mounts,
  podWith,
  reachableFrom,
  storageClass,
  volume,
} from "./storage.ts";

const node = (name: string, labels: object = {}): Node =>
  ({
    metadata: { name, labels: { disk: name, ...labels } },
    status: { allocatable: { cpu: "1", memory: "1Gi", pods: "10" } },
    spec: {},
  }) as never;
const [a, b] = [node("a"), node("b")];
/** The name of the node, or the reasons of the FailedScheduling message. */
function outcome(pod: Pod, objects: readonly ApiObject[], running: readonly Pod[] = [], nodes = [a, b]): string {
  const cache = schedulerCache(listersOf(objects));
  for (const n of nodes) cache.nodeSeen(n.metadata.name, n);
  for (const p of running) cache.podSeen(keyOf(p), p);
  const placement = place(pod, cache.snapshot(), defaultPlugins());
  if (placement.outcome === "placed") return placement.nodeName;
  return /^0\/\d+ nodes are available: (.*)\. (no new claims|not found)/.exec(placement.diagnosis.message)![1]!;
}

const wait = storageClass("wait");
const p = podWith("p", mounts("data"));
const csi = (volumeHandle: string) => ({ csi: { driver: "disks.example.org", volumeHandle } });
const of = (owner: Pod) => ({
  ownerReferences: [{ ...owner, name: owner.metadata.name, uid: owner.metadata.uid, controller: true }],
});
const selected = (on: string) => ({ meta: { annotations: { "volume.kubernetes.io/selected-node": on } } });
const unmatched = "node(s) didn't find available persistent volumes to bind";
const unreachable = "node(s) didn't match PersistentVolume's node affinity";
const topology = (value: string) => ({
  allowedTopologies: [{ matchLabelExpressions: [{ key: "disk", values: [value] }] }],
});
const published = csiDriver("disks.example.org", { storageCapacity: true });
const room = (size: string, on: string, more = {}) =>
  capacity(`${on}-${size}`, { capacity: size, nodeTopology: { matchLabels: { disk: on } }, ...more });

const binding: readonly (readonly [what: string, pod: Pod, objects: readonly ApiObject[], outcome: string])[] = [
  ["no such claim", p, [], 'persistentvolumeclaim "data" not found'],
  [
    "a claim that lost its volume",
    p,
    [claim("data", { spec: { volumeName: "v" }, status: { phase: "Lost" } })],
    'persistentvolumeclaim "data" bound to non-existent persistentvolume "v"',
  ],
  [
    "a claim that is deleted",
    p,
    [claim("data", { meta: { deletionTimestamp: "2026-01-01T00:00:00Z" } })],
    'persistentvolumeclaim "data" is being deleted',
  ],
  [
    "an ephemeral volume before its claim",
    podWith("p", ephemeral),
    [],
    'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"',
  ],
  [
    "an ephemeral volume and a claim that is not the pod's",
    podWith("p", ephemeral),
    [wait, claim("p-scratch")],
    "PVC default/p-scratch was not created for pod default/p (pod is not owner)",
  ],
  ["an ephemeral volume", podWith("p", ephemeral), [wait, claim("p-scratch", { meta: of(podWith("p", [])) })], "a"],
  [
    "an unbound claim of a class that does not wait",
    p,
    [claim("data", { spec: { storageClassName: "now" } }), storageClass("now", { volumeBindingMode: "Immediate" })],
    "pod has unbound immediate PersistentVolumeClaims",
  ],
  ["an unbound claim without class", p, [claim("data")], "pod has unbound immediate PersistentVolumeClaims"],
  [
    "a claim that names a volume and is not bound yet",
    p,
    [wait, claim("data", { spec: { volumeName: "v" } })],
    "pod has unbound immediate PersistentVolumeClaims",
  ],
  ["a bound claim", p, [boundClaim("data", "v"), volume("v", { spec: reachableFrom("b") })], "b"],
  [
    "a bound volume out of reach",
    p,
    [boundClaim("data", "v"), volume("v", { spec: reachableFrom("c") })],
    `2 ${unreachable}`,
  ],
  ["a bound claim without volume", p, [boundClaim("data", "v")], 'persistentvolume "v" not found'],
  ["a volume that exists, on one node", p, [wait, claim("data"), volume("v", { spec: reachableFrom("b") })], "a"],
  [
    "a volume that exists, and no provisioner",
    p,
    [
      storageClass("wait", { provisioner: "kubernetes.io/no-provisioner" }),
      claim("data"),
      volume("v", { spec: reachableFrom("b") }),
    ],
    "b",
  ],
  [
    "no volume, and no provisioner",
    p,
    [storageClass("wait", { provisioner: "kubernetes.io/no-provisioner" }), claim("data")],
    `2 ${unmatched}`,
  ],
  [
    "two claims, one volume, no provisioner",
    podWith("p", mounts("data", "logs")),
    [storageClass("wait", { provisioner: "kubernetes.io/no-provisioner" }), claim("data"), claim("logs"), volume("v")],
    `2 ${unmatched}`,
  ],
  [
    "a claim that is mounted twice",
    podWith("p", [...mounts("data"), { ...mounts("data")[0]!, name: "again" }]),
    [storageClass("wait", { provisioner: "kubernetes.io/no-provisioner" }), claim("data"), volume("v")],
    "a",
  ],
  ["a claim provisioned for a node", p, [wait, claim("data", selected("b"))], "b"],
  ["a claim provisioned for a node that is gone", p, [wait, claim("data", selected("c"))], `2 ${unmatched}`],
  ["the topology of a class", p, [storageClass("wait", topology("b")), claim("data")], "b"],
  ["the topology of a class, elsewhere", p, [storageClass("wait", topology("c")), claim("data")], `2 ${unmatched}`],
  [
    "one volume out of reach and no volume for another claim",
    podWith("p", mounts("data", "logs")),
    [
      storageClass("wait", topology("c")),
      boundClaim("data", "v"),
      volume("v", { spec: reachableFrom("c") }),
      claim("logs"),
    ],
    `2 ${unmatched}, 2 ${unreachable}`,
  ],
  ["a node with room", p, [wait, claim("data"), published, room("9Gi", "b"), room("1Gi", "a")], "b"],
  [
    "no node with room",
    p,
    [wait, claim("data"), published, room("1Gi", "a")],
    "2 node(s) did not have enough free storage",
  ],
  [
    "the size of one volume is limited",
    p,
    [wait, claim("data"), published, room("9Gi", "a", { maximumVolumeSize: "4Gi" }), room("5Gi", "b")],
    "b",
  ],
  [
    "room for another class",
    p,
    [wait, claim("data"), published, room("9Gi", "b", { storageClassName: "x" })],
    "2 node(s) did not have enough free storage",
  ],
  ["a driver that does not publish its room", p, [wait, claim("data"), csiDriver("disks.example.org", {})], "a"],
];
for (const [what, pod, objects, expected] of binding)
  test(`volume binding: ${what}`, () => expect(outcome(pod, objects)).toBe(expected));

test("volume binding: the smallest claim gets the smallest volume", () => {
  const sized = (storage: string) => ({ spec: { resources: { requests: { storage } } } });
  const holding = (storage: string) => ({ spec: { capacity: { storage } } });
  const lister = listersOf([volume("v", holding("10Gi")), volume("w", holding("9Gi")), wait]);
  const delayed = delayedClaims([claim("data", sized("8Gi")), claim("logs", sized("5Gi"))], lister, (v) => v);
  const plan = planOn({ bound: [], delayed }, nodeAccount(a, 0));
  const pairs = "code" in plan ? [] : plan.matched.map((m) => [m.claim.metadata.name, m.volume.metadata.name]);
  expect(pairs).toEqual([
    ["logs", "w"],
    ["data", "v"],
  ]);
});

const once = [boundClaim("data", "v", { accessModes: ["ReadWriteOncePod"] }), volume("v")];
const on = (nodeName: string, name: string, ...claims: readonly string[]) =>
  podWith(name, mounts(...claims), { nodeName });
const disk = (pdName: string, readOnly: boolean) => [{ name: "d", gcePersistentDisk: { pdName, readOnly } }];
const exclusive =
  "2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";
const restricted: readonly (readonly [what: string, pod: Pod, running: readonly Pod[], outcome: string])[] = [
  ["a claim for one pod", p, [], "a"],
  ["a claim for one pod, in use", p, [on("b", "q", "data")], exclusive],
  ["another pod's claim", p, [on("b", "q", "logs")], "b"],
  ["a finished pod", p, [{ ...on("b", "q", "data"), status: { phase: "Succeeded" } }], "a"],
  ["another namespace", p, [{ ...on("b", "q", "data"), metadata: { ...p.metadata, name: "q", namespace: "x" } }], "b"],
  ["a disk", podWith("p", disk("d", false)), [podWith("q", disk("d", true), { nodeName: "b" })], "a"],
  ["a disk that all only read", podWith("p", disk("d", true)), [podWith("q", disk("d", true), { nodeName: "b" })], "b"],
  ["another disk", podWith("p", disk("d", false)), [podWith("q", disk("e", false), { nodeName: "b" })], "b"],
];
for (const [what, pod, running, expected] of restricted)
  test(`volume restrictions: ${what}`, () => expect(outcome(pod, once, running)).toBe(expected));
test("a claim for one pod is free when a less important pod leaves", () => {
  const cache = schedulerCache(listersOf(once));
  cache.nodeSeen("a", a);
  cache.assume(on("a", "q", "data"), "a");
  const placement = place(podWith("p", mounts("data"), { priority: 1 }), cache.snapshot(), defaultPlugins());
  expect(placement.outcome === "unschedulable" && placement.diagnosis.nominatedNodeName).toBe("a");
});
const zoned = (name: string, zone: string) => node(name, { "topology.kubernetes.io/zone": zone });
const places: readonly (readonly [what: string, labels: Record<string, string>, nodes: Node[], outcome: string])[] = [
  ["no labels", {}, [zoned("a", "1")], "a"],
  ["its zone", { "topology.kubernetes.io/zone": "2" }, [zoned("a", "1"), zoned("b", "2")], "b"],
  ["several zones", { "topology.kubernetes.io/zone": "2__3" }, [zoned("a", "1"), zoned("b", "3")], "b"],
  ["the old label", { "failure-domain.beta.kubernetes.io/zone": "2" }, [zoned("a", "1"), zoned("b", "2")], "b"],
  ["elsewhere", { "topology.kubernetes.io/zone": "2" }, [zoned("a", "1")], "1 node(s) had no available volume zone"],
  ["nodes without zones", { "topology.kubernetes.io/zone": "2" }, [a], "a"],
];
for (const [what, labels, nodes, expected] of places)
  test(`volume zone: ${what}`, () =>
    expect(outcome(p, [boundClaim("data", "v"), volume("v", { meta: { labels } })], [], nodes)).toBe(expected));

const full = "1 node(s) exceed max volume count";
const two = [csiNode("a", 2), ...["v", "w", "x"].map((v) => volume(v, { spec: csi(v) }))];
const claims = [boundClaim("data", "v"), boundClaim("logs", "w"), boundClaim("cache", "x")];
const limits: readonly (readonly [
  what: string,
  objects: readonly ApiObject[],
  running: readonly Pod[],
  outcome: string,
])[] = [
  ["room for one more", [...two, ...claims], [on("a", "q", "logs")], "a"],
  ["no more", [...two, ...claims], [on("a", "q", "logs", "cache")], full],
  ["a volume counts once", [...two, ...claims], [on("a", "q", "data", "logs")], "a"],
  ["attached volumes count", [...two, ...claims, attachment("a", "x")], [on("a", "q", "logs")], full],
  ["an attached volume in use counts once", [...two, ...claims, attachment("a", "w")], [on("a", "q", "logs")], "a"],
  [
    "a volume to be made counts",
    [...two, wait, claim("data"), ...claims.slice(1)],
    [on("a", "q", "logs", "cache")],
    full,
  ],
  ["no limit", [...two.slice(1), ...claims], [on("a", "q", "logs", "cache")], "a"],
  [
    "another driver",
    [...two, ...claims.slice(1), boundClaim("data", "y"), volume("y")],
    [on("a", "q", "logs", "cache")],
    "a",
  ],
];
for (const [what, objects, running, expected] of limits)
  test(`volume limits: ${what}`, () => expect(outcome(p, objects, running, [a])).toBe(expected));

type Changed = readonly [before: ApiObject | undefined, after: ApiObject | undefined];
const hints: readonly (readonly [what: string, plugin: string, resource: string, change: Changed, helps: boolean])[] = [
  ["its claim", "VolumeBinding", "PersistentVolumeClaim", [claim("data"), boundClaim("data", "v")], true],
  ["another claim", "VolumeBinding", "PersistentVolumeClaim", [undefined, claim("logs")], false],
  [
    "a claim of another namespace",
    "VolumeBinding",
    "PersistentVolumeClaim",
    [undefined, claim("data", { meta: { namespace: "x" } })],
    false,
  ],
  ["a volume", "VolumeBinding", "PersistentVolume", [undefined, volume("v")], true],
  ["a deleted volume", "VolumeBinding", "PersistentVolume", [volume("v"), undefined], false],
  ["a class", "VolumeBinding", "StorageClass", [undefined, wait], true],
  [
    "a class's parameters",
    "VolumeBinding",
    "StorageClass",
    [wait, { ...wait, parameters: { x: "y" } } as ApiObject],
    false,
  ],
  ["a class's topologies", "VolumeBinding", "StorageClass", [wait, storageClass("wait", topology("b"))], true],
  ["more room", "VolumeBinding", "CSIStorageCapacity", [room("1Gi", "a"), room("2Gi", "a")], true],
  ["less room", "VolumeBinding", "CSIStorageCapacity", [room("2Gi", "a"), room("1Gi", "a")], false],
  ["a driver that no longer publishes", "VolumeBinding", "CSIDriver", [published, csiDriver("d", {})], true],
  ["a driver that publishes", "VolumeBinding", "CSIDriver", [csiDriver("d", {}), published], false],
  ["a pod with claims leaves", "VolumeBinding", "AssignedPod", [on("a", "q", "logs"), undefined], true],
  ["a pod without claims leaves", "VolumeBinding", "AssignedPod", [podWith("q", undefined), undefined], false],
  ["a user of its claim leaves", "VolumeRestrictions", "AssignedPod", [on("a", "q", "data"), undefined], true],
  ["another pod leaves", "VolumeRestrictions", "AssignedPod", [on("a", "q", "logs"), undefined], false],
  ["its claim is made", "VolumeRestrictions", "PersistentVolumeClaim", [undefined, claim("data")], true],
  ["a larger limit", "NodeVolumeLimits", "CSINode", [csiNode("a", 1), csiNode("a", 2)], true],
  ["a smaller limit", "NodeVolumeLimits", "CSINode", [csiNode("a", 2), csiNode("a", 1)], false],
  ["a pod with volumes leaves", "NodeVolumeLimits", "AssignedPod", [on("a", "q", "logs"), undefined], true],
  ["a pod without volumes leaves", "NodeVolumeLimits", "AssignedPod", [podWith("q", undefined), undefined], false],
  ["a volume is detached", "NodeVolumeLimits", "VolumeAttachment", [attachment("a", "v"), undefined], true],
  [
    "a volume moves",
    "VolumeZone",
    "PersistentVolume",
    [volume("v"), volume("v", { meta: { labels: { "topology.kubernetes.io/zone": "1" } } })],
    true,
  ],
  [
    "a volume stays",
    "VolumeZone",
    "PersistentVolume",
    [volume("v"), volume("v", { meta: { labels: { x: "1" } } })],
    false,
  ],
  ["a class that waits", "VolumeZone", "StorageClass", [undefined, wait], true],
  [
    "a class that does not wait",
    "VolumeZone",
    "StorageClass",
    [undefined, storageClass("now", { volumeBindingMode: "Immediate" })],
    false,
  ],
];
const hintsOf = queueingHints(defaultPlugins());
for (const [what, plugin, resource, [before, after], helps] of hints)
  test(`${plugin} after a change: ${what}`, () =>
    expect(hintsOf.isHelped(p, new Set([plugin]), plainEvents(resource, { before, after }))).toBe(helps));
