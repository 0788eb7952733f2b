// The scheduling queue: order, back-off after rejections and errors, and the events that requeue pods.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { nodeEvents, assignedPodEvents } from "../../../scheduler/cluster-events.ts";
import type { ClusterEvent } from "../../../scheduler/framework.ts";
import { defaultPlugins, prioritySort } from "../../../scheduler/plugins/default.ts";
import { type BackoffLimits, schedulingQueue, type SchedulingQueue } from "../../../scheduler/queue.ts";
import { listersOf } from "./storage.ts";
import { beginning, virtualClock, type VirtualClock } from "../../sim/virtual-clock.ts";

const pod = (name: string, spec: object = {}): Pod =>
  ({ metadata: { name, namespace: "d", uid: name }, spec: { containers: [], ...spec } }) as unknown as Pod;
const node = (
  name: string,
  more: { readonly spec?: object; readonly labels?: object; readonly cpu?: string } = {},
): Node =>
  ({
    metadata: { name, labels: more.labels ?? {} },
    spec: more.spec ?? {},
    status: { allocatable: { cpu: more.cpu ?? "1", pods: "10" } },
  }) as unknown as Node;

interface Stage {
  readonly clock: VirtualClock;
  readonly queue: SchedulingQueue;
  /** Pod names with the second in which they were taken. */
  readonly taken: string[];
}
/** Runs a queue for as long as the test; `then` is called with every pod that is taken. */
async function staged(
  then: (name: string, queue: SchedulingQueue) => void,
  play: (stage: Stage) => Promise<void>,
  limits?: BackoffLimits,
): Promise<readonly string[]> {
  const clock = virtualClock();
  const stop = new AbortController();
  const plugins = defaultPlugins();
  const queue = schedulingQueue(
    clock,
    {
      pluginsOf: () => plugins,
      sort: prioritySort.queueSort!,
      context: { lister: listersOf([]), membersOf: () => new Map() },
    },
    stop.signal,
    limits,
  );
  const taken: string[] = [];
  const taker = (async () => {
    for await (const { pod } of queue.take(stop.signal)) {
      taken.push(`${pod.metadata.name}@${Math.round((clock.now() - beginning) / 1000)}`);
      then(pod.metadata.name, queue);
    }
  })();
  await play({ clock, queue, taken });
  stop.abort();
  await taker;
  return taken;
}
const until = (clock: VirtualClock, seconds: number): Promise<void> => clock.run(beginning + seconds * 1_000);

test("higher priority first, then longer waiting time", async () => {
  const taken = await staged(
    () => {},
    async ({ clock, queue }) => {
      queue.add(pod("first"));
      queue.add(pod("second"));
      queue.add(pod("urgent", { priority: 100 }));
      queue.add(pod("humble", { priority: -1 }));
      await until(clock, 1);
    },
  );
  expect(taken.map((t) => t.split("@")[0])).toEqual(["urgent", "first", "second", "humble"]);
});

test("an error doubles the back-off from one second to ten", async () => {
  const taken = await staged(
    (name, queue) => queue.fail(key("d", name)),
    async ({ clock, queue }) => {
      queue.add(pod("p"));
      await until(clock, 40);
    },
  );
  expect(taken).toEqual(["p@0", "p@1", "p@3", "p@7", "p@15", "p@25", "p@35"]);
});

test("or between other limits", async () => {
  const taken = await staged(
    (name, queue) => queue.fail(key("d", name)),
    async ({ clock, queue }) => {
      queue.add(pod("p"));
      await until(clock, 18);
    },
    { initialBackoffMs: 2_000, maxBackoffMs: 5_000 },
  );
  expect(taken).toEqual(["p@0", "p@2", "p@6", "p@11", "p@16"]);
});

const rejectedBy =
  (...plugins: readonly string[]) =>
  (name: string, queue: SchedulingQueue): void =>
    queue.reject(key("d", name), new Set(plugins));

test("a rejected pod is retried after at most five minutes", async () => {
  const taken = await staged(rejectedBy("NodeResourcesFit"), async ({ clock, queue }) => {
    queue.add(pod("p"));
    await until(clock, 700);
  });
  expect(taken).toEqual(["p@0", "p@300", "p@600"]);
});

test("a pod in back-off is taken early when the queue is idle", async () => {
  const taken = await staged(rejectedBy("NodeResourcesFit"), async ({ clock, queue }) => {
    queue.add(pod("p"));
    await until(clock, 0.1);
    queue.notify(() => nodeEvents({ before: undefined, after: node("n") }));
    await until(clock, 0.2);
  });
  expect(taken).toEqual(["p@0", "p@0"]);
});

test("a deleted or recreated pod is taken once", async () => {
  const taken = await staged(
    () => {},
    async ({ clock, queue }) => {
      queue.add(pod("p"));
      queue.delete(key("d", "p"));
      queue.add(pod("q"));
      queue.add({ ...pod("q"), metadata: { ...pod("q").metadata, uid: "another" } } as Pod);
      await until(clock, 1);
    },
  );
  expect(taken).toEqual(["q@0"]);
});

test("a gated pod waits until its last gate is removed, and no longer", async () => {
  const taken = await staged(
    () => {},
    async ({ clock, queue }) => {
      queue.add(pod("p", { schedulingGates: [{ name: "a" }, { name: "b" }] }));
      await until(clock, 400);
      queue.add(pod("p", { schedulingGates: [{ name: "b" }] }));
      queue.notify(() => nodeEvents({ before: undefined, after: node("n") }));
      await until(clock, 500);
      queue.add(pod("p"));
      await until(clock, 501);
    },
  );
  expect(taken).toEqual(["p@500"]);
});

const wanting = (cpu: string): object => ({ containers: [{ name: "c", resources: { requests: { cpu } } }] });
const onPort = (hostPort: number): object => ({ containers: [{ name: "c", ports: [{ hostPort }] }], nodeName: "n" });
const gone = (spec: object): readonly ClusterEvent[] =>
  assignedPodEvents({ before: pod("other", { nodeName: "n", ...spec }), after: undefined });
const changed = (before: Node, after: Node): readonly ClusterEvent[] => nodeEvents({ before, after });
const added = (after: Node): readonly ClusterEvent[] => nodeEvents({ before: undefined, after });
const tainted = { spec: { taints: [{ key: "gpu", effect: "NoSchedule" }] } };
const tolerating = { tolerations: [{ key: "gpu", operator: "Exists" }] };

const hints: readonly (readonly [
  what: string,
  rejector: string,
  spec: object,
  events: readonly ClusterEvent[],
  helps: boolean,
])[] = [
  ["a deleted pod frees resources", "NodeResourcesFit", wanting("1"), gone({}), true],
  ["a node that is large enough", "NodeResourcesFit", wanting("1"), added(node("n")), true],
  ["a node that is too small", "NodeResourcesFit", wanting("2"), added(node("n")), false],
  ["a node that grows", "NodeResourcesFit", wanting("2"), changed(node("n"), node("n", { cpu: "4" })), true],
  ["a node that shrinks", "NodeResourcesFit", wanting("1"), changed(node("n", { cpu: "4" }), node("n")), false],
  [
    "a changed label of a node",
    "NodeResourcesFit",
    wanting("1"),
    changed(node("n"), node("n", { labels: { a: "b" } })),
    false,
  ],
  ["a port that becomes free", "NodePorts", onPort(80), gone(onPort(80)), true],
  ["another port becomes free", "NodePorts", onPort(80), gone(onPort(81)), false],
  [
    "a selected label is added",
    "NodeAffinity",
    { nodeSelector: { a: "b" } },
    changed(node("n"), node("n", { labels: { a: "b" } })),
    true,
  ],
  [
    "another label is added",
    "NodeAffinity",
    { nodeSelector: { a: "b" } },
    changed(node("n"), node("n", { labels: { c: "d" } })),
    false,
  ],
  ["a taint is removed", "TaintToleration", {}, changed(node("n", tainted), node("n")), true],
  ["a tainted node is added", "TaintToleration", {}, added(node("n", tainted)), false],
  ["a tolerated node is added", "TaintToleration", tolerating, added(node("n", tainted)), true],
  [
    "a node is uncordoned",
    "NodeUnschedulable",
    {},
    changed(node("n", { spec: { unschedulable: true } }), node("n")),
    true,
  ],
  ["a cordoned node is added", "NodeUnschedulable", {}, added(node("n", { spec: { unschedulable: true } })), false],
  ["a deleted pod", "NodeAffinity", {}, gone({}), false],
  ["a heartbeat", "NodeResourcesFit", wanting("1"), changed(node("n"), { ...node("n") }), false],
];
for (const [what, rejector, spec, events, helps] of hints)
  test(`requeue: ${what} ${helps ? "helps" : "does not help"} a pod rejected by ${rejector}`, async () => {
    const taken = await staged(rejectedBy(rejector), async ({ clock, queue }) => {
      queue.add(pod("p", spec));
      await until(clock, 60);
      queue.notify(() => events);
      await until(clock, 61);
    });
    expect(taken).toEqual(helps ? ["p@0", "p@60"] : ["p@0"]);
  });

test("requeue: a toleration added to the pod helps", async () => {
  const taken = await staged(rejectedBy("TaintToleration"), async ({ clock, queue }) => {
    queue.add(pod("p"));
    await until(clock, 60);
    queue.add({ ...pod("p"), status: { phase: "Pending" } } as Pod);
    await until(clock, 70);
    queue.add(pod("p", tolerating));
    await until(clock, 71);
  });
  expect(taken).toEqual(["p@0", "p@70"]);
});

test("requeue: without a rejecting plugin every change helps", async () => {
  const taken = await staged(rejectedBy(), async ({ clock, queue }) => {
    queue.add(pod("p"));
    await until(clock, 60);
    queue.notify(() => added(node("n", tainted)));
    await until(clock, 61);
  });
  expect(taken).toEqual(["p@0", "p@60"]);
});
