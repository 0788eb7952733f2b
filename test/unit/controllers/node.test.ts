import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { decide, leavesAt } from "../../../controllers/nodelifecycle/decide.ts";
import { rangeAllocator } from "../../../controllers/nodeipam/controller.ts";
import { decide as collectPods, quarantineMs } from "../../../controllers/podgc/controller.ts";
import { ago, asStored, carryOut, now, pod } from "./world.ts";

const node = (ready: string, spec: object = {}): Node =>
  asStored<Node>({
    kind: "Node",
    metadata: { name: "n1" },
    spec,
    status: { conditions: [{ type: "Ready", status: ready, lastTransitionTime: ago(50) }] },
  });
const tolerant = (seconds: number | undefined): Pod =>
  pod("p", {
    spec: {
      tolerations: [
        {
          key: "node.kubernetes.io/unreachable",
          operator: "Exists",
          effect: "NoExecute",
          ...(seconds === undefined ? {} : { tolerationSeconds: seconds }),
        },
      ],
    },
  });
const look = (
  n: Node,
  silentSeconds: number,
  pods: readonly Pod[] = [],
  { turn = 0, allLost = false }: { readonly turn?: number | undefined; readonly allLost?: boolean } = {},
) =>
  decide(
    {
      ...{ node: n, pods, graceMs: 40_000, allLost },
      // As in the controller: the turn of a node that is known to be lost.
      turn: n.status?.conditions?.some((c) => c.status !== "True") ? instant(now + turn * 1000) : undefined,
      lastHeartbeat: instant(now - silentSeconds * 1000),
      firstSeen: () => instant(now - 60_000),
    },
    now,
  );
/** The taints after the second look, which sees the status that the first one wrote. */
const taintsIn = (n: Node, silentSeconds: number, zone: Parameters<typeof look>[3] = {}): readonly string[] => {
  const after = [1, 2].reduce((all) => carryOut(look(all[0]!, silentSeconds, [], zone).actions, all) as never, [n]);
  return (after[0]?.spec.taints ?? []).map((t) => `${t.key.split("/")[1]}:${t.effect}`);
};

test("node: the first look at a silent node does not evict, because its zone is not counted yet", () => {
  const [after] = carryOut(look(node("True"), 41).actions, [node("True")]) as readonly Node[];
  expect(after?.spec.taints?.map((t) => t.effect)).toEqual(["NoSchedule"]);
});
test("node: a lost node waits for its turn", () => {
  expect(taintsIn(node("False"), 1, { turn: 5 })).toEqual(["not-ready:NoSchedule"]);
  expect(look(node("False"), 1, [], { turn: 5 }).requeueAfter).toBe(5_000);
});
test("node: a node whose pods are being evicted needs no other turn when it is lost in another way", () => {
  const taints = [{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }];
  expect(taintsIn(node("Unknown", { taints }), 60, { turn: 5 })).toEqual([
    "unreachable:NoSchedule",
    "unreachable:NoExecute",
  ]);
});
test("node: nobody is evicted while all nodes are lost, also where that had begun", () => {
  const taints = [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }];
  const lost = node("Unknown", { taints });
  expect(taintsIn(lost, 60, { allLost: true })).toEqual(["unreachable:NoSchedule"]);
  expect(look(lost, 60, [pod("p")], { allLost: true }).actions.map((a) => a.do)).not.toContain("delete");
});
test("node: one that never reported has Kubernetes' reason and message", () => {
  const silent = asStored<Node>({ kind: "Node", metadata: { name: "n1" }, spec: {} });
  const status = look(silent, 41).actions.find((a) => a.do === "status");
  const lastHeartbeatTime = silent.metadata.creationTimestamp;
  const unknown = { status: "Unknown", reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." };
  expect(status).toMatchObject({
    status: {
      conditions: ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => ({
        type,
        ...unknown,
        lastHeartbeatTime,
      })),
    },
  });
  const [after] = carryOut(look(silent, 41).actions, [silent]) as readonly Node[];
  expect(look(after!, 60).actions.some((a) => a.do === "status")).toBe(false);
});

test("node: ready with recent heartbeats has no taint", () => expect(taintsIn(node("True"), 1)).toEqual([]));
test("node: reported not ready has not-ready taints", () =>
  expect(taintsIn(node("False"), 1)).toEqual(["not-ready:NoSchedule", "not-ready:NoExecute"]));
test("node: without heartbeats has unreachable taints", () =>
  expect(taintsIn(node("True"), 41)).toEqual(["unreachable:NoSchedule", "unreachable:NoExecute"]));
test("node: cordoned has the unschedulable taint", () =>
  expect(taintsIn(node("True", { unschedulable: true }), 1)).toEqual(["unschedulable:NoSchedule"]));
test("node: recovered loses lifecycle taints and keeps others", () =>
  expect(
    taintsIn(
      node("True", {
        taints: [
          { key: "node.kubernetes.io/unreachable", effect: "NoExecute" },
          { key: "example.com/gpu", effect: "NoSchedule" },
        ],
      }),
      1,
    ),
  ).toEqual(["gpu:NoSchedule"]));

test("node: conditions become Unknown with Kubernetes' messages", () => {
  const status = look(node("True"), 41).actions.find((a) => a.do === "status");
  expect(status).toMatchObject({
    status: {
      conditions: expect.arrayContaining([
        expect.objectContaining({
          type: "Ready",
          status: "Unknown",
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
        }),
      ]),
    },
  });
});
test("node: requeued when its grace period ends", () => expect(look(node("True"), 10).requeueAfter).toBe(30_000));

const placed = (p: Pod, secondsAgo: number): Pod => {
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: ago(secondsAgo) };
  return { ...p, status: { ...p.status, conditions: [...(p.status?.conditions ?? []), scheduled] } };
};
const taint = { key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: ago(100) } as const;
const leaving: readonly (readonly [what: string, pod: Pod, seconds: number | undefined])[] = [
  ["without a toleration: evicted immediately", pod("p"), 0],
  ["with tolerationSeconds: evicted after that time", tolerant(300), 200],
  ["tolerationSeconds have passed: evicted immediately", tolerant(60), -40],
  ["without tolerationSeconds: not evicted", tolerant(undefined), undefined],
  ["a pod scheduled after the taint: counted from scheduling", placed(tolerant(60), 10), 50],
  ["a pod scheduled before the taint: counted from the taint", placed(tolerant(300), 500), 200],
];
for (const [what, p, seconds] of leaving)
  test(`eviction: ${what}`, () =>
    expect(leavesAt(p, [taint], now, () => instant(now - 100_000))).toBe(
      seconds === undefined ? undefined : now + seconds * 1000,
    ));

test("eviction: the condition is set before deletion, and Ready is False immediately", () => {
  const lost = node("Unknown", { taints: [taint, { ...taint, effect: "NoSchedule" }] });
  const first = look(lost, 100, [tolerant(60)]).actions;
  expect(first.filter((a) => a.do !== "patch").map((a) => a.do)).toContain("status");
  const updated = carryOut(first, [tolerant(60)]).filter((o): o is Pod => o.kind === "Pod");
  expect(look(lost, 100, updated).actions.some((a) => a.do === "delete")).toBe(true);
  const waiting = look(lost, 100, [tolerant(300)]);
  expect(waiting.requeueAfter).toBe(200_000);
  expect(waiting.actions).toContainEqual(
    expect.objectContaining({
      do: "status",
      status: expect.objectContaining({ conditions: [expect.objectContaining({ type: "Ready", status: "False" })] }),
    }),
  );
});

test("node: a pod reported ready after the node was lost is not updated, which prevents alternating writes", () => {
  const lost = node("Unknown", { taints: [taint, { ...taint, effect: "NoSchedule" }] });
  const toPods = (readySeconds: number) =>
    look(lost, 100, [{ ...tolerant(300), status: pod("p", { readySeconds }).status }]).actions.filter(
      (a) => a.do === "status" && a.object.kind === "Pod",
    );
  expect(toPods(90)).toHaveLength(1);
  expect(toPods(30)).toEqual([]);
  const withoutHeartbeat = { ...lost, status: {} };
  expect(
    look(withoutHeartbeat, 1, [pod("p", { spec: { tolerations: [{ operator: "Exists" }] } })]).actions.filter(
      (a) => a.do === "status",
    ),
  ).toEqual([]);
});

const freeAfter = (cidr: string, occupied: readonly string[], released: readonly string[] = []) => {
  const ranges = rangeAllocator(cidr);
  for (const range of occupied) ranges.occupy(range);
  ranges.next();
  for (const range of released) ranges.release(range);
  return ranges.next();
};
test("node ranges: the first free one, until there is none", () => {
  expect(freeAfter("10.244.0.0/16", [])).toBe("10.244.1.0/24");
  expect(freeAfter("10.244.0.0/16", ["10.244.1.0/24", "10.244.3.0/24"])).toBe("10.244.2.0/24");
  expect(freeAfter("10.244.0.0/23", ["10.244.1.0/24"])).toBeUndefined();
  expect(freeAfter("10.244.0.0/16", ["10.9.1.0/24", "10.244.1.0/25"])).toBe("10.244.1.0/24");
});
test("node ranges: a released range is allocated again when no node has it", () => {
  const held = ["10.244.1.0/24", "10.244.2.0/24"];
  expect(freeAfter("10.244.0.0/16", held, ["10.244.1.0/24"])).toBe("10.244.1.0/24");
  expect(freeAfter("10.244.0.0/16", [...held, ...held], ["10.244.1.0/24"])).toBe("10.244.3.0/24");
});
test("node ranges: after any history the next range is the lowest free one", () => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ranges = rangeAllocator("10.0.0.0/21");
      const uses = [1, ...Array.from({ length: 7 }, () => 0)];
      for (const [isOccupied, i] of steps) {
        const range = `10.0.${i}.0/24`;
        if (isOccupied) ranges.occupy(range);
        else ranges.release(range);
        if (i > 0 && i < uses.length) uses[i] = Math.max(0, uses[i]! + (isOccupied ? 1 : -1));
        const free = uses.indexOf(0);
        expect(ranges.next()).toBe(free < 0 ? undefined : `10.0.${free}.0/24`);
      }
    }),
  );
});

const collect = (pod: Pod, missedSeconds: number | undefined, isOutOfService = false) =>
  collectPods(
    {
      pod,
      nodeMissingSince: missedSeconds === undefined ? undefined : instant(now - missedSeconds * 1000),
      isOutOfService,
    },
    now,
  ).actions;
test("pod collection: pods of a deleted node become Failed and are then deleted", () => {
  expect(collect(pod("p"), undefined)).toEqual([]);
  expect(collect(pod("p"), quarantineMs / 1000 - 1)).toEqual([]);
  expect(collect(pod("p"), quarantineMs / 1000)).toMatchObject([{ do: "status", status: { phase: "Failed" } }]);
  expect(collect(pod("p", { phase: "Failed" }), quarantineMs / 1000)).toMatchObject([
    { do: "delete", options: { gracePeriodSeconds: 0 } },
  ]);
});
test("pod collection: an unscheduled terminating pod is deleted immediately", () => {
  const unscheduled = (metadata: object): Pod => pod("p", { metadata, spec: { nodeName: undefined } });
  expect(collect(unscheduled({}), undefined)).toEqual([]);
  expect(collect(unscheduled({ deletionTimestamp: ago(1) }), undefined)).toMatchObject([{ do: "delete" }]);
});
test("pod collection: a terminating pod of a node out of service becomes Failed and is then deleted", () => {
  const terminating = { metadata: { deletionTimestamp: ago(1) } };
  expect(collect(pod("p"), undefined, true)).toEqual([]);
  expect(collect(pod("p", terminating), undefined, false)).toEqual([]);
  expect(collect(pod("p", terminating), undefined, true)).toMatchObject([
    { do: "status", status: { phase: "Failed" } },
  ]);
  expect(collect(pod("p", { ...terminating, phase: "Failed" }), undefined, true)).toMatchObject([{ do: "delete" }]);
});
test("pod collection: completed pods above the threshold are deleted, oldest first", () => {
  const finished = [3, 1, 2].map((age) =>
    pod(`p${age}`, { phase: "Succeeded", metadata: { creationTimestamp: ago(age) } }),
  );
  expect(
    collectPods({ finished, keepFinished: 2 }, now).actions.map((a) => a.do === "delete" && a.object.metadata.name),
  ).toEqual(["p3"]);
});

test("eviction: a taint without timeAdded counts from its first observation", () => {
  const own = { key: "example.com/away", effect: "NoExecute" };
  const bearing = (tolerationSeconds: number): Pod =>
    pod("p", { spec: { nodeName: "n1", tolerations: [{ ...own, operator: "Exists", tolerationSeconds }] } });
  const tainted = node("True", { taints: [own] });
  expect(look(tainted, 1, [bearing(59)]).actions).toMatchObject([
    { do: "status", status: { conditions: [{}, { type: "DisruptionTarget", status: "True" }] } },
  ]);
  const later = look(tainted, 30, [bearing(65)]);
  expect([later.actions, later.requeueAfter]).toEqual([[], 5000]);
});
