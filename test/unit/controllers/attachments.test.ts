// Volumes are attached to the nodes whose pods use them, to one node at a time, and detached when no pod does.
import { expect, test } from "vitest";
import { nodes } from "../../../api/core/nodes.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Node, PersistentVolume, VolumeAttachment } from "../../../api/generated/types.ts";
import { instant, key } from "../../../api/meta.ts";
import { csiNodes, volumeAttachments } from "../../../api/storage/csi.ts";
import { attachmentName } from "../../../csi/protocol/volume-names.ts";
import { decideAttachments, type ObservedNode } from "../../../controllers/volumes/attachments.ts";
import type { Action } from "../../../machinery/action.ts";
import { type Cluster, cluster, driverName } from "./provisioning.ts";
import { volume } from "./volumes.ts";
import { ago, asStored, now, pod } from "./world.ts";

const csi = { csi: { driver: "d", volumeHandle: "h" }, hostPath: undefined };
const pv = volume({ spec: csi });
const shared = volume({ spec: { ...csi, accessModes: ["ReadWriteMany"] } });
const user = pod("p");
const unique = "kubernetes.io/csi/d^h";
const attachment = (status: object = { attached: true }, of: PersistentVolume = pv, nodeName = "n1") =>
  asStored<VolumeAttachment>({
    kind: "VolumeAttachment",
    metadata: { name: attachmentName(of.spec.csi!, nodeName) },
    spec: { attacher: "d", nodeName, source: { persistentVolumeName: "pv" } },
    status,
  });
const node = (status: object = {}, taints: readonly object[] = []) =>
  asStored<Node>({ kind: "Node", metadata: { name: "n1" }, spec: { taints }, status });
const lost = { volumesInUse: [unique], conditions: [{ type: "Ready", status: "Unknown" }] };
const unneeded = (seconds: number): ObservedNode["attachments"] => [[attachment(), pv, instant(now - seconds * 1_000)]];
const needs = (of = pv, elsewhere: readonly VolumeAttachment[] = [], otherPods = [] as readonly (typeof user)[]) => [
  { volume: of, pods: [user], elsewhere, otherPods },
];
const attached = { volumesAttached: [{ name: unique, devicePath: "" }] };
const inUse = { ...attached, volumesInUse: [unique] };

const summary = (actions: readonly Action[]): readonly string[] =>
  actions.map((a) => {
    if (a.do === "event") return `${a.reason}: ${a.message}`;
    if (a.do === "status") return `attached: ${(a.status as Node["status"])?.volumesAttached?.length ?? 0}`;
    return a.do;
  });
type Row = readonly [what: string, of: Partial<ObservedNode>, does: readonly string[], requeueAfter?: number];
const table: readonly Row[] = [
  ["a volume is attached for a pod", { needed: needs() }, ["create"]],
  ["being attached: nothing", { needed: needs(), attachments: [[attachment({ attached: false }), pv]] }, []],
  [
    "attached: reported once",
    { needed: needs(), attachments: [[attachment(), pv]] },
    ["attached: 1", 'SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv" '],
  ],
  ["attached and reported: nothing", { node: node(attached), needed: needs(), attachments: [[attachment(), pv]] }, []],
  [
    "an error of the driver",
    { needed: needs(), attachments: [[attachment({ attached: false, attachError: { message: "no" } }), pv]] },
    ['FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : no'],
  ],
  [
    "no longer needed: not reported any more, then detached",
    { node: node(attached), attachments: [[attachment(), pv]] },
    ["attached: 0", "delete"],
  ],
  [
    "no longer needed, still mounted",
    { node: node({ ...inUse, conditions: [{ type: "Ready", status: "True" }] }), attachments: unneeded(999) },
    [],
  ],
  [
    "no longer needed, mounted on a node that is not Ready",
    { node: node({ ...attached, ...lost }), attachments: unneeded(60) },
    [],
    300_000,
  ],
  [
    "no longer needed for long, on a node that is not Ready",
    { node: node({ ...attached, ...lost }), attachments: unneeded(360) },
    ["attached: 0", "delete"],
  ],
  [
    "no longer needed, on a node out of service",
    {
      node: node(inUse, [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }]),
      attachments: [[attachment(), pv]],
    },
    ["attached: 0", "delete"],
  ],
  [
    "needed again, after a detach was begun whose request may still arrive",
    { needed: needs(), attachments: [[attachment(), pv]], begun: new Set([attachment().metadata.name]) },
    ["delete"],
  ],
  [
    "needed again, after a detach was decided that was refused",
    {
      node: node(inUse),
      needed: needs(),
      attachments: [[attachment(), pv]],
      begun: new Set([attachment().metadata.name]),
    },
    [],
  ],
  ["its node is gone, which has not mounted it", { node: undefined, attachments: unneeded(0) }, ["delete"]],
  [
    "its node is gone, where it may still be mounted",
    { node: undefined, lastNode: node(inUse), attachments: unneeded(60) },
    [],
    300_000,
  ],
  [
    "its node was gone before this process began",
    { node: undefined, lastNode: undefined, attachments: unneeded(60) },
    [],
    300_000,
  ],
  ["its node is gone for long", { node: undefined, lastNode: node(inUse), attachments: unneeded(360) }, ["delete"]],
  ["its volume is gone", { attachments: [[attachment({ attached: false }), undefined]] }, ["delete"]],
  [
    "attached to another node, whose pods are gone",
    { needed: needs(pv, [attachment({}, pv, "n2")]) },
    [
      'FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already exclusively attached to one node and can\'t be attached to another',
    ],
  ],
  [
    "attached to another node, whose pods use it",
    { needed: needs(pv, [attachment({}, pv, "n2")], [pod("b"), pod("a")]) },
    ['FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already used by pod(s) a, b'],
  ],
  ["many nodes may have it", { needed: needs(shared, [attachment({}, shared, "n2")]) }, ["create"]],
  [
    "being detached: attached again later",
    {
      needed: needs(),
      attachments: [
        [
          asStored({
            ...attachment(),
            metadata: { name: attachmentName(pv.spec.csi!, "n1"), deletionTimestamp: ago(1) },
          }),
          pv,
        ],
      ],
    },
    [],
  ],
];
for (const [what, of, does, requeueAfter] of table)
  test(`attachments: ${what}`, () => {
    const lastNode = "node" in of ? (of.node ?? node()) : node();
    const observed = {
      name: "n1",
      node: node(),
      lastNode,
      needed: [],
      attachments: [],
      begun: new Set<string>(),
      ...of,
    };
    const decision = decideAttachments(observed, now);
    expect(summary(decision.actions)).toEqual(does);
    expect(decision.requeueAfter).toBe(requeueAfter);
  });

async function twoNodes(): Promise<Cluster> {
  const c = await cluster([], {}, { capabilities: ["PUBLISH_UNPUBLISH_VOLUME"] });
  for (const name of ["n1", "n2"]) {
    await c.client.create(nodes, { kind: "Node", metadata: { name }, spec: {} } as never);
    const drivers = [{ name: driverName, nodeID: `id-of-${name}` }];
    await c.client.create(csiNodes, { kind: "CSINode", metadata: { name }, spec: { drivers } });
  }
  await c.client.create(serviceAccounts, {
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: "default" },
  });
  await c.create("data");
  return c;
}
const start = (c: Cluster, name: string, nodeName: string) =>
  c.client.create(pods, {
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: {
      nodeName,
      containers: [{ name: "main", image: "a:1" }],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
    },
  } as never);
const kill = (c: Cluster, name: string) => c.client.delete(pods, key("default", name), { gracePeriodSeconds: 0 });
const nodesOf = (c: Cluster) => [...c.drivers["cluster"]!.volumes.values()].flatMap((v) => v.nodes);
const objectsOf = async (c: Cluster) =>
  (await c.client.list(volumeAttachments)).items.map(({ spec, status }) => [spec.nodeName, status?.attached]);

test("a volume follows its pods: detached from one node before it is attached to another", async () => {
  const c = await twoNodes();
  await start(c, "a", "n1");
  await c.run(3);
  expect([nodesOf(c), await objectsOf(c)]).toEqual([["id-of-n1"], [["n1", true]]]);
  const { status } = await c.client.get(nodes, key(undefined, "n1"));
  expect(status?.volumesAttached).toHaveLength(1);
  await start(c, "b", "n2");
  await c.run(3);
  expect(nodesOf(c)).toEqual(["id-of-n1"]);
  await kill(c, "a");
  await c.run(3);
  expect([nodesOf(c), await objectsOf(c)]).toEqual([["id-of-n2"], [["n2", true]]]);
  await kill(c, "b");
  await c.run(3);
  expect([nodesOf(c), await objectsOf(c)]).toEqual([[], []]);
  await c.stop();
});

test("a volume that pods of two nodes need at the same moment is attached to one", async () => {
  const c = await twoNodes();
  await c.run(3);
  await Promise.all([start(c, "a", "n1"), start(c, "b", "n2")]);
  await c.run(3);
  expect(await objectsOf(c)).toHaveLength(1);
  expect(nodesOf(c)).toHaveLength(1);
  await c.stop();
});

test("an attachment that a user has made is left alone", async () => {
  const c = await twoNodes();
  await c.run(1);
  await c.client.create(volumeAttachments, {
    kind: "VolumeAttachment",
    metadata: { name: "made-by-a-user" },
    spec: { attacher: "another", nodeName: "n1", source: { persistentVolumeName: "missing" } },
  });
  await c.run(5);
  expect(await objectsOf(c)).toEqual([["n1", false]]);
  await c.stop();
});

test("killed at each step of a move: attached where the pod is, and nowhere else", async () => {
  for (const moment of ["before", "after"] as const)
    for (let step = 1; step <= 10; step++) {
      const c = await twoNodes();
      await start(c, "a", "n1");
      await c.run(3);
      await start(c, "b", "n2");
      c.process.killAt(step, moment);
      await kill(c, "a");
      await c.run(3);
      await c.run(5);
      expect([step, nodesOf(c), await objectsOf(c)]).toEqual([step, ["id-of-n2"], [["n2", true]]]);
      await c.stop();
    }
});
