import fc from "fast-check";
import { expect, test } from "vitest";
import type { Pod, ReplicaSet, ReplicationController } from "../../../api/generated/types.ts";
import { childName } from "../../../api/hash.ts";
import { ownedBy } from "../../../api/meta.ts";
import { asSet } from "../../../controllers/replicaset/controller.ts";
import { decide, type Observed } from "../../../controllers/replicaset/decide.ts";
import { ago, asStored, carryOut, now, pod, summaryOf } from "./world.ts";

const web = (replicas: number, spec: object = {}): ReplicaSet =>
  asStored<ReplicaSet>({
    kind: "ReplicaSet",
    apiVersion: "apps/v1",
    metadata: { name: "web", namespace: "default", uid: "u1" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "app:1" }] } },
      ...spec,
    },
  });
const set = web(1);
const mine = (name: string, more: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, { ...more, metadata: { ownerReferences: [ownedBy(set)], ...more.metadata } });
const seen = (of: ReplicaSet, pods: readonly Pod[], deletions = 0): Observed => ({
  set: of,
  pods,
  deletions,
  isTaken: (name) => pods.some((p) => p.metadata.name === name),
});
const slot = (n: number, salt = 0): string => childName({ name: "web", uid: "u1" }, n, salt);

const table: readonly (readonly [what: string, replicas: number, pods: readonly Pod[], actions: string])[] = [
  ["no pods", 2, [], `create ${slot(0)}, create ${slot(1)}`],
  ["the desired number", 1, [mine("a")], ""],
  ["a missing pod in the middle", 2, [mine(slot(1))], `create ${slot(0)}`],
  ["too many: pending is deleted first", 1, [mine("a"), mine("b", { phase: "Pending", ready: false })], "delete b"],
  [
    "too many: unscheduled before pending on a node",
    1,
    [
      mine("a", { phase: "Pending", ready: false }),
      mine("b", { phase: "Pending", ready: false, spec: { nodeName: undefined } }),
    ],
    "delete b",
  ],
  ["too many: unready before ready", 1, [mine("a", { ready: false }), mine("b")], "delete a"],
  [
    "too many: lower deletion cost first",
    1,
    [
      mine("a"),
      mine("b", {
        metadata: {
          ownerReferences: [ownedBy(set)],
          annotations: { "controller.kubernetes.io/pod-deletion-cost": "-1" },
        },
      }),
    ],
    "delete b",
  ],
  [
    "too many: from the node with more pods",
    2,
    [mine("a"), mine("b"), mine("c", { spec: { nodeName: "n2" } })],
    "delete a",
  ],
  [
    "too many: the most recently ready first",
    1,
    [mine("a", { readySeconds: 10 }), mine("b", { readySeconds: 100 })],
    "delete a",
  ],
  ["completed pods do not count and are kept", 1, [mine("a", { phase: "Failed" })], `create ${slot(0)}`],
  [
    "terminating pods do not count",
    1,
    [mine("a", { metadata: { ownerReferences: [ownedBy(set)], deletionTimestamp: ago(1) } })],
    `create ${slot(0)}`,
  ],
  ["the name of a released pod is not reused", 1, [pod(slot(0), { metadata: { labels: {} } })], `create ${slot(1)}`],
  ["scaled to zero", 0, [mine("a")], "delete a"],
  ["a matching orphan is adopted instead of creating a pod", 1, [pod("stray")], ""],
];
for (const [what, replicas, pods, actions] of table)
  test(`replica set: ${what}`, () => expect(summaryOf(decide(seen(web(replicas), pods), now).actions)).toBe(actions));

test("replica set: a retry uses the same name, a replacement a new one", () => {
  const names = (deletions: number): string => summaryOf(decide(seen(web(1), [], deletions), now).actions);
  expect(names(3)).toBe(names(3));
  expect(names(3)).not.toBe(names(4));
});

test("replica set: matching orphans are adopted, non-matching pods released", () => {
  const stray = mine("stray", { metadata: { ownerReferences: [ownedBy(set)], labels: { app: "other" } } });
  const before = [pod("orphan"), stray];
  const { actions } = decide(seen(web(1), before), now);
  expect(actions.map((a) => a.do)).toEqual(["adopt", "release", "status"]);
  const owners = carryOut(actions, before).map(({ metadata }) => [metadata.name, metadata.ownerReferences?.length]);
  expect(owners).toEqual([
    ["orphan", 1],
    ["stray", 0],
  ]);
});

test("replica set: a ready pod is available after minReadySeconds, and the key is requeued for that time", () => {
  const pods = [mine("a", { readySeconds: 10 }), mine("b", { readySeconds: 40 })];
  const decision = decide(seen(web(2, { minReadySeconds: 30 }), pods), now);
  expect(decision.actions.find((a) => a.do === "status")).toMatchObject({
    status: { replicas: 2, readyReplicas: 2, availableReplicas: 1 },
  });
  expect(decision.requeueAfter).toBe(20_000);
});

const anyPod = fc.record({
  phase: fc.constantFrom("Pending", "Running", "Failed", "Succeeded"),
  ready: fc.boolean(),
  owned: fc.boolean(),
  labels: fc.constantFrom({ app: "web" }, { app: "other" }),
});
test("replica set: repeated decisions lead to no actions", () => {
  fc.assert(
    fc.property(fc.nat(8), fc.array(anyPod, { maxLength: 8 }), (replicas, states) => {
      const own = web(replicas);
      const pods = states.map((g, i) =>
        pod(`p${i}`, {
          phase: g.phase,
          ready: g.ready,
          metadata: { labels: g.labels, ...(g.owned ? { ownerReferences: [ownedBy(own)] } : {}) },
        }),
      );
      const decideIn = (world: readonly object[]) => {
        const all = world as readonly (Pod | ReplicaSet)[];
        const found = all.find((o): o is ReplicaSet => o.kind === "ReplicaSet")!;
        const there = all.filter((o): o is Pod => o.kind === "Pod");
        return decide(seen(found, there), now).actions;
      };
      // The next decision sees the created pods and may update the status; after that there are no actions.
      const once = carryOut(decideIn([own, ...pods]), [own, ...pods]);
      const twice = carryOut(decideIn(once), once);
      expect(decideIn(twice)).toEqual([]);
      expect(summaryOf(decideIn(once))).toBe("");
    }),
  );
});

test("replication controller: decided as a set with a label selector, and written as its own kind", () => {
  const rc = asStored<ReplicationController>({
    kind: "ReplicationController",
    metadata: { name: "web", namespace: "default", uid: "u1" },
    spec: { replicas: 1, selector: { app: "web" }, template: set.spec.template },
  });
  const { actions } = decide(seen(asSet(rc), [pod("found")]), now);
  expect(actions.map((a) => [a.do, "resource" in a && a.resource.kind])).toEqual([
    ["adopt", "Pod"],
    ["status", "ReplicationController"],
  ]);
  const [, report] = actions;
  expect(report).toMatchObject({ status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1 } });
});
