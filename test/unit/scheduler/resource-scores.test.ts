// How nodes are scored by the resources that pods request.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { skip } from "../../../scheduler/framework.ts";
import { podInfoOf } from "../../../scheduler/node-info.ts";
import { balancing, type ScoringStrategy, scoringBy } from "../../../scheduler/plugins/resource-scores.ts";

const requesting = (requests: object, name = "p"): Pod =>
  ({
    metadata: { name, namespace: "d" },
    spec: { containers: [{ name: "c", resources: { requests } }] },
  }) as unknown as Pod;
const allocatable = { cpu: "4", memory: "10Gi", pods: "10", "example.org/gpu": "4" };
function nodeWith(...pods: readonly object[]) {
  const cache = schedulerCache();
  cache.nodeSeen("n", { metadata: { name: "n" }, spec: {}, status: { allocatable } } as unknown as Node);
  for (const [i, requests] of pods.entries()) cache.assume(requesting(requests, `q${i}`), "n");
  return cache.snapshot().nodes[0]!;
}
const shape = [
  { utilization: 0, score: 0 },
  { utilization: 50, score: 8 },
  { utilization: 100, score: 10 },
];
const cpuOnly = [{ name: "cpu", weight: 1 }];
const half = { cpu: "2", memory: "1Gi" };
const ratio: ScoringStrategy = { type: "RequestedToCapacityRatio", shape, resources: cpuOnly };

test.each<[string, ScoringStrategy, object, number]>([
  ["most allocated", { type: "MostAllocated" }, half, 30],
  ["least allocated", { type: "LeastAllocated" }, half, 70],
  [
    "weights of resources",
    {
      type: "MostAllocated",
      resources: [
        { name: "cpu", weight: 3 },
        { name: "memory", weight: 1 },
      ],
    },
    half,
    40,
  ],
  ["a pod that requests nothing counts a little", { type: "MostAllocated" }, {}, 1],
  [
    "an extended resource",
    { type: "MostAllocated", resources: [{ name: "example.org/gpu", weight: 1 }] },
    { "example.org/gpu": "1" },
    25,
  ],
  [
    "an extended resource that is not requested",
    { type: "MostAllocated", resources: [{ name: "example.org/gpu", weight: 1 }] },
    half,
    0,
  ],
  ["a point of the shape", ratio, { cpu: "2" }, 80],
  ["between two points", ratio, { cpu: "1" }, 40],
  ["beyond the last point but one", ratio, { cpu: "3" }, 90],
  ["more than there is", ratio, { cpu: "5" }, 100],
])("score: %s", (_, strategy, requests, expected) => {
  const { preScore, score } = scoringBy(strategy);
  expect(score(preScore(podInfoOf(requesting(requests))), nodeWith())).toBe(expected);
});

test("pods on the node count", () => {
  const { preScore, score } = scoringBy({ type: "MostAllocated", resources: cpuOnly });
  expect(score(preScore(podInfoOf(requesting({ cpu: "1" }))), nodeWith({ cpu: "1" }, { cpu: "1" }))).toBe(75);
});

test.each<[string, object, number | undefined]>([
  ["equal fractions", { cpu: "2", memory: "5Gi" }, 75],
  ["unequal fractions", { cpu: "4", memory: "0" }, 50],
  ["nothing requested", {}, undefined],
])("balance: %s", (_, requests, expected) => {
  const state = balancing.preScore(podInfoOf(requesting(requests)));
  expect(state === skip ? undefined : balancing.score(state, nodeWith())).toBe(expected);
});

test("a pod is scored by how it changes the balance", () => {
  const state = balancing.preScore(podInfoOf(requesting({ memory: "5Gi" })));
  expect(state === skip ? undefined : balancing.score(state, nodeWith({ cpu: "2" }))).toBe(87);
});
