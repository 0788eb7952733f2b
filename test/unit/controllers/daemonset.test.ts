import fc from "fast-check";
import { expect, test } from "vitest";
import { daemonSets } from "../../../api/apps/daemonsets.ts";
import type { ControllerRevision, DaemonSet, Node, Pod, Taint } from "../../../api/generated/types.ts";
import { type ApiObject, instant, ownedBy } from "../../../api/meta.ts";
import { decide, failureMore, type Failures } from "../../../controllers/daemonset/decide.ts";
import { tolerationsOf } from "../../../controllers/daemonset/eligibility.ts";
import { nodeOf } from "../../../controllers/daemonset/pods.ts";
import type { Action } from "../../../machinery/action.ts";
import { ago, asStored, carryOut, now, pod } from "./world.ts";

const web = (spec: object = {}, image = "app:1", podSpec: object = {}): DaemonSet =>
  asStored<DaemonSet>(
    daemonSets.defaults({
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "web", namespace: "default", uid: "u1" } as object,
      spec: {
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }], ...podSpec } },
        updateStrategy: { type: "RollingUpdate" },
        ...spec,
      },
    } as never),
  );
const taint = (key: string, effect: Taint["effect"]): Taint => ({ key, effect });
const node = (name: string, taints: readonly Taint[] = [], labels: object = {}): Node =>
  asStored<Node>({ kind: "Node", metadata: { name, labels }, spec: { taints } });
const nodes = ["a", "b", "c"].map((name) => node(name));

const ofKind = <T extends ApiObject>(world: readonly ApiObject[], kind: string): readonly T[] =>
  world.filter((o) => o.kind === kind) as unknown as readonly T[];
const setIn = (world: readonly ApiObject[]): DaemonSet => ofKind<DaemonSet>(world, "DaemonSet")[0]!;
const podsIn = (world: readonly ApiObject[]): readonly Pod[] => ofKind<Pod>(world, "Pod");
const revisionsIn = (world: readonly ApiObject[]): readonly ControllerRevision[] =>
  ofKind<ControllerRevision>(world, "ControllerRevision");

const look = (world: readonly ApiObject[], failures: Readonly<Record<string, Failures>> = {}) =>
  decide(
    {
      set: setIn(world),
      nodes: ofKind<Node>(world, "Node"),
      pods: podsIn(world),
      revisions: revisionsIn(world),
      revisionNamed: (name) => revisionsIn(world).find((r) => r.metadata.name === name),
      isTaken: (name) => podsIn(world).some((p) => p.metadata.name === name),
      deletions: 0,
      failuresOn: (name) => failures[name],
    },
    now,
  );
/** What happens to pods, by the names of nodes. */
const did = (actions: readonly Action[]): string =>
  actions
    .flatMap((a) => {
      if (a.do === "create" && a.draft.kind === "Pod") return [`+${nodeOf(a.draft as Pod)}`];
      return a.do === "delete" && a.object.kind === "Pod" ? [`-${nodeOf(a.object as Pod)}`] : [];
    })
    .join(" ");
const settle = (world: readonly ApiObject[]): readonly ApiObject[] => {
  const { actions } = look(world);
  return actions.length === 0 ? world : settle(carryOut(actions, world));
};
/** What a scheduler and a kubelet do. */
const running = (world: readonly ApiObject[], isReady: (p: Pod) => boolean = () => true): readonly ApiObject[] =>
  world.map((o) => {
    if (o.kind !== "Pod") return o;
    const p = o as Pod;
    return { ...p, spec: { ...p.spec, nodeName: nodeOf(p) }, status: pod("x", { ready: isReady(p) }).status } as Pod;
  });
const settled = (set: DaemonSet, on: readonly Node[] = nodes): readonly ApiObject[] =>
  settle(running(settle([set, ...on])));
/** With a new spec, and a new template, which is recorded as a revision. */
const changed = (world: readonly ApiObject[], spec: object, template?: DaemonSet): readonly ApiObject[] => {
  const before = setIn(world);
  const after = { ...before, spec: { ...before.spec, ...(template && { template: template.spec.template }), ...spec } };
  const next = world.map((o) => (o === before ? after : o));
  return template ? carryOut(look(next).actions, next) : next;
};
const withPod = (world: readonly ApiObject[], on: string, change: (p: Pod) => Pod): readonly ApiObject[] =>
  world.map((o) => (o.kind === "Pod" && nodeOf(o as Pod) === on ? change(o as Pod) : o));
const withNode = (world: readonly ApiObject[], other: Node): readonly ApiObject[] =>
  world.map((o) => (o.kind === "Node" && o.metadata.name === other.metadata.name ? other : o));
const withPhase =
  (phase: string) =>
  (p: Pod): Pod =>
    ({ ...p, status: { ...p.status, phase } }) as Pod;
const unready = (p: Pod): Pod => ({ ...p, status: pod("x", { ready: false }).status }) as Pod;
const unscheduled = (p: Pod): Pod => ({ ...p, spec: { ...p.spec, nodeName: undefined } }) as unknown as Pod;
const leaving = <T extends ApiObject>(o: T): T => ({ ...o, metadata: { ...o.metadata, deletionTimestamp: ago(1) } });
const strategy = (rollingUpdate: object): object => ({ updateStrategy: { type: "RollingUpdate", rollingUpdate } });

const v2 = web({}, "app:2");
const three = settled(web());
const second = { ...podsIn(three)[1]!, metadata: { ...podsIn(three)[1]!.metadata, name: "zzz", uid: "other" } };
const surge = strategy({ maxSurge: 1, maxUnavailable: 0 });
const surging = running(settle(changed(three, surge, v2)), (p) => p.spec.containers[0]?.image === "app:1");
const withoutNode = (world: readonly ApiObject[], name: string): readonly ApiObject[] =>
  world.filter((o) => o.kind !== "Node" || o.metadata.name !== name);
const recorded = (set: DaemonSet, on: readonly Node[]): readonly ApiObject[] => {
  const world = [set, ...on];
  return carryOut(look(world).actions, world);
};
const onlyB = { nodeSelector: { disk: "fast" } };
const labelled = [node("a"), node("b", [], { disk: "fast" })];
const hard = (effect: Taint["effect"]): readonly Node[] => [node("a", [taint("x", effect)]), node("b")];

const table: readonly (readonly [what: string, world: readonly ApiObject[], actions: string])[] = [
  ["a pod for every node", recorded(web(), nodes), "+a +b +c"],
  ["a new node", [...three, node("d")], "+d"],
  ["only where the node selector matches", recorded(web({}, "app:1", onlyB), labelled), "+b"],
  ["a node that is named", recorded(web({}, "app:1", { nodeName: "b" }), nodes), "+b"],
  ["no pod where a taint forbids it", recorded(web(), hard("NoSchedule")), "+b"],
  ["a taint that only prefers", recorded(web(), hard("PreferNoSchedule")), "+a +b"],
  ["a lost node", recorded(web(), [node("a", [taint("node.kubernetes.io/unreachable", "NoExecute")])]), "+a"],
  ["a cordoned node", recorded(web(), [node("a", [taint("node.kubernetes.io/unschedulable", "NoSchedule")])]), "+a"],
  [
    "a node that is not ready for pods",
    recorded(web(), [node("a", [taint("node.kubernetes.io/not-ready", "NoSchedule")])]),
    "",
  ],
  ["a pod stays when its node is tainted", withNode(three, node("a", [taint("x", "NoSchedule")])), ""],
  ["a pod leaves when it may not be there", withNode(three, node("a", [taint("x", "NoExecute")])), "-a"],
  ["pods leave nodes that do not match any more", changed(three, {}, web({}, "app:1", onlyB)), "-a -b -c"],
  ["a failed pod is deleted", withPod(three, "a", withPhase("Failed")), "-a"],
  ["a pod that succeeded is deleted", withPod(three, "a", withPhase("Succeeded")), "-a"],
  ["no pod is made while another is leaving", withPod(three, "a", leaving), ""],
  [
    "of two on a node the older stays",
    [...three, { ...second, metadata: { ...second.metadata, creationTimestamp: ago(-5) } }],
    "-b",
  ],
  ["a pod waiting for a node that is gone", withoutNode(withPod(three, "c", unscheduled), "c"), "-c"],
  ["a pod on a node that is gone is left to others", withoutNode(three, "c"), ""],
  ["a new template: one at a time", changed(three, {}, v2), "-a"],
  ["two at a time", changed(three, strategy({ maxUnavailable: 2 }), v2), "-a -b"],
  ["a percentage is rounded up", changed(three, strategy({ maxUnavailable: "34%" }), v2), "-a -b"],
  ["OnDelete waits for the user", changed(three, { updateStrategy: { type: "OnDelete" } }, v2), ""],
  ["what is not available is replaced first", withPod(changed(three, {}, v2), "b", unready), "-b"],
  [
    "all that is not available is replaced",
    withPod(withPod(changed(three, {}, v2), "b", unready), "c", unready),
    "-b -c",
  ],
  [
    "a node without pods that the set does not run on does not count",
    [
      ...changed(three, {}, v2),
      ...hard("NoSchedule")
        .slice(0, 1)
        .map((n) => ({ ...n, metadata: { ...n.metadata, name: "d" } })),
    ],
    "-a",
  ],
  [
    "with a surge, a pod on a node that gets none goes when enough others are available",
    withNode(changed(three, surge, v2), node("a", [taint("x", "NoSchedule")])),
    "+b -a",
  ],
  [
    "with a surge, it stays while it is needed",
    withPod(withNode(changed(three, surge, v2), node("a", [taint("x", "NoSchedule")])), "b", unready),
    "+b +c",
  ],
  ["a node without a pod counts as unavailable", withPod(changed(three, {}, v2), "b", leaving), ""],
  ["with a surge, a new pod beside an old one", changed(three, surge, v2), "+a"],
  ["with a surge, the old one stays until the new one is available", surging, ""],
  ["with a surge, the old one goes then", running(surging), "-a"],
  ["a set that is being deleted does nothing", three.map((o) => (o.kind === "DaemonSet" ? leaving(o) : o)), ""],
];
for (const [what, world, actions] of table)
  test(`daemon set: ${what}`, () => expect(did(look(world).actions)).toBe(actions));

test("daemon set: a pod is pinned to its node, tolerates what daemons tolerate and has the hash of its revision", () => {
  const made = look(recorded(web(), [node("a")])).actions.find((a) => a.do === "create");
  const [revision] = revisionsIn(three);
  expect(made?.draft).toMatchObject({
    metadata: {
      generateName: "web-",
      labels: { "controller-revision-hash": revision!.metadata.name.slice("web-".length) },
    },
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] }],
          },
        },
      },
    },
  });
  const own = { key: "x", operator: "Exists" } as const;
  const keys = tolerationsOf({ containers: [], tolerations: [own], hostNetwork: true }).map((t) =>
    t.key?.split("/").at(-1),
  );
  expect(keys).toEqual(
    ["x", "not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"].concat(
      "network-unavailable",
    ),
  );
});

test("daemon set: a failed pod is deleted again only after a while, which doubles", () => {
  const failed = withPod(three, "a", withPhase("Failed"));
  const after = (seconds: number, count: number): Failures => ({ count, at: instant(now - seconds * 1000) });
  expect(look(failed, { a: after(0.4, 1) })).toMatchObject({ requeueAfter: 600 });
  expect(did(look(failed, { a: after(1, 1) }).actions)).toBe("-a");
  expect(look(failed, { a: after(1, 3) })).toMatchObject({ requeueAfter: 3_000 });
  expect(did(look(failed, { a: after(15 * 60, 30) }).actions)).toBe("-a");
  expect(failureMore(after(60, 3), now).count).toBe(4);
  expect(failureMore(after(31 * 60, 3), now).count).toBe(1);
});

test("daemon set: the status counts nodes", () => {
  expect(setIn(three).status).toEqual({
    ...{ observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, numberMisscheduled: 0 },
    ...{ numberReady: 3, updatedNumberScheduled: 3, numberAvailable: 3 },
  });
  const world = withNode(withPod(changed(three, {}, v2), "b", unready), node("c", [taint("x", "NoSchedule")]));
  expect(look(world).actions.find((a) => a.do === "status")).toMatchObject({
    status: {
      ...{ desiredNumberScheduled: 2, currentNumberScheduled: 2, numberMisscheduled: 1, numberReady: 1 },
      ...{ updatedNumberScheduled: undefined, numberAvailable: 1, numberUnavailable: 1 },
    },
  });
});

test("daemon set: events are in the words of Kubernetes", () => {
  const { actions } = look(withPod(three, "a", withPhase("Failed")));
  const [{ metadata }] = podsIn(three) as [Pod];
  const events = actions.flatMap((a) => (a.do === "event" ? [`${a.type} ${a.reason} ${a.message}`] : []));
  expect(events).toEqual([
    `Warning FailedDaemonPod Found failed daemon pod default/${metadata.name} on node a, will try to kill it`,
    `Normal SuccessfulDelete Deleted pod: ${metadata.name}`,
  ]);
});

const anyPod = fc.record({
  on: fc.constantFrom("a", "b", "c", "d"),
  phase: fc.constantFrom("Pending", "Running", "Running", "Failed", "Succeeded"),
  ready: fc.boolean(),
  owned: fc.boolean(),
});
const anySpec = fc.constantFrom(strategy({ maxUnavailable: 1 }), strategy({ maxUnavailable: 2 }), surge, {
  updateStrategy: { type: "OnDelete" },
});
test("daemon set: whatever there is, the world falls silent with one pod a node, two during a surge", () => {
  fc.assert(
    fc.property(anySpec, fc.array(anyPod, { maxLength: 6 }), (spec, found) => {
      const set = web(spec);
      const pods = found.map((p, i) =>
        pod(`p${i}`, {
          ...p,
          spec: { nodeName: p.on },
          metadata: p.owned ? { ownerReferences: [ownedBy(set)] } : {},
        }),
      );
      const world = settle([set, ...nodes, ...pods]);
      for (const { metadata } of nodes) {
        const on = podsIn(world).filter((p) => nodeOf(p) === metadata.name && p.status?.phase !== "Failed");
        expect(on.length).toBeGreaterThanOrEqual(1);
        expect(on.length).toBeLessThanOrEqual(spec === surge ? 2 : 1);
      }
    }),
  );
});
