// `orrery rebalance` against a server: the plan as a table and as data, and pods that are evicted and replaced.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { key, keyOf } from "../../api/meta.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type CommandOutcome, commandOutcome } from "./command-outcome.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-rebalance-"));
let server: TestServer;
const ready = [{ type: "Ready", status: "True" }] as const;
const allocatable = { cpu: "1", memory: "8Gi", pods: "110" };

async function createNode(name: string): Promise<void> {
  const spec = {};
  const node = await server.inProcess.create(nodes, { kind: "Node", metadata: { name }, spec });
  const status = { ...node.status, allocatable, capacity: allocatable, conditions: [...ready] };
  await server.inProcess.update<Node>(nodes, { ...node, status }, "status");
  // A new node is tainted until it is ready.
  await server.inProcess.patch(nodes, key(undefined, name), { type: "merge", patch: { spec: { taints: null } } });
}
async function createPod(name: string, nodeName: string, cpu: string): Promise<void> {
  const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "1", controller: true };
  const spec = { nodeName, containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }] };
  const metadata = { name, namespace: "default", ownerReferences: [reference] };
  const pod = await server.inProcess.create<Pod>(pods, { kind: "Pod", metadata, spec });
  await server.inProcess.update(
    pods,
    { ...pod, status: { ...pod.status, phase: "Running", conditions: [...ready] } } as Pod,
    "status",
  );
}

beforeAll(async () => {
  server = await listeningServer();
  for (const name of ["n1", "n2"]) await createNode(name);
  await createPod("full", "n1", "600m");
  await createPod("small", "n2", "100m");
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const outcome = (line: string): Promise<CommandOutcome> =>
  commandOutcome([...line.split(" "), "--cache-dir", folder], server.kubeconfig);

test("a plan as a table", async () => {
  expect(await outcome("rebalance --dry-run")).toEqual({
    out: [
      "NAMESPACE   POD     FROM   TO    BUDGET   WHY",
      "default     small   n2     n1    <none>   it frees n2, of whose cpu 10% is requested",
      "",
      "Frees n2.",
      "Before: 2 nodes in use, with 35% of CPU and 0% of memory requested.",
      "After:  1 node in use, with 70% of CPU and 0% of memory requested.",
      "",
    ].join("\n"),
    err: "",
    code: 0,
  });
});
test("a plan as data", async () => {
  expect(JSON.parse((await outcome("rebalance --dry-run -o json")).out)).toEqual({
    moves: [
      {
        ...{ namespace: "default", pod: "small", from: "n2", to: "n1", strategy: "HighNodeUtilization", budgets: [] },
        because: "it frees n2, of whose cpu 10% is requested",
      },
    ],
    freedNodes: ["n2"],
    usage: { before: { nodes: 2, cpu: 0.35, memory: 0 }, after: { nodes: 1, cpu: 0.7, memory: 0 } },
    notes: [],
  });
});
test.each([
  ["rebalance --dry-run -n other", "Note: n2 is not freed: default/small stays, because it is not in namespace other."],
  ["rebalance --dry-run --free-below 5", "Nothing to move."],
  ["rebalance --dry-run --strategy removepodsviolatingnodetaints", "Nothing to move."],
])("%s", async (line, expected) => expect((await outcome(line)).out).toContain(expected));
test.each([
  ["--strategy Podlife", 'error: there is no strategy "Podlife"'],
  ["--strategy HighNodeUtilization,LowNodeUtilization", "would undo each other's moves"],
  ["--free-below 101", "--free-below must be a percentage"],
  ["--max-evictions 0", "--max-evictions must be at least 1"],
  ["-o wide", "unable to match a printer"],
])("refused: %s", async (flags, expected) => expect((await outcome(`rebalance ${flags}`)).err).toContain(expected));

test("pods are evicted, and the run waits for those that replace them", async () => {
  const { clock } = realWorld(() => {});
  const running = outcome("rebalance");
  // In the place of a controller, a scheduler and a kubelet.
  for (let isReplaced = false; !isReplaced; await clock.sleep(50)) {
    const leaving = (await server.inProcess.list(pods)).items.find((pod) => pod.metadata.deletionTimestamp);
    if (leaving === undefined) continue;
    await createPod("small-again", "n1", "100m");
    await server.inProcess.delete(pods, keyOf(leaving), { gracePeriodSeconds: 0 });
    isReplaced = true;
  }
  expect((await running).out.split("\n").slice(-4)).toEqual([
    "default/small evicted from n2",
    "default/small-again is ready on n1",
    "1 pod moved.",
    "",
  ]);
  expect((await outcome("rebalance")).out).toBe(
    "Nothing to move.\nNow: 1 node in use, with 70% of CPU and 0% of memory requested.\n",
  );
});
