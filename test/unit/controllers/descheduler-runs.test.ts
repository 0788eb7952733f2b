// Runs of the descheduler in clusters drawn at random, with a scheduler and controllers beside it: no required rule is
// broken that held, no budget is overdrawn, nodes are only freed, and every run ends where nothing is left to do.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { needsNode } from "../../../controllers/descheduler/evictable.ts";
import type { Move } from "../../../controllers/descheduler/draft.ts";
import { type Plan, planOf } from "../../../controllers/descheduler/plan.ts";
import type { Cluster, PodRule, Settings } from "../../../controllers/descheduler/ports.ts";
import { strategies } from "../../../controllers/descheduler/strategies.ts";
import { podRequests } from "../../../api/core/pod/status.ts";
import { requiredMatcher, labelledNode } from "../../../api/core/pod/node-affinity.ts";
import type { Packing } from "../../../scheduler/plugins/resource-scores.ts";
import { afterMove, budget, cluster, node, pod, situation, simulations } from "./descheduling.ts";

const apps = ["a", "b", "c", "d"];
const app = fc.constantFrom(...apps);
const topologyKey = fc.constantFrom("kubernetes.io/hostname", "topology.kubernetes.io/zone");
const rule = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ repelledBy: app, topologyKey }) },
  { weight: 1, arbitrary: fc.record({ attractedBy: app, topologyKey }) },
  { weight: 1, arbitrary: fc.record({ spread: fc.integer({ min: 1, max: 2 }), topologyKey }) },
  { weight: 1, arbitrary: fc.record({ disk: fc.constantFrom("ssd", "hdd") }) },
);
type Rule = {
  readonly repelledBy?: string;
  readonly attractedBy?: string;
  readonly spread?: number;
  readonly disk?: string;
  readonly topologyKey?: string;
};

function specOf(own: string, { repelledBy, attractedBy, spread, disk, topologyKey: key }: Rule): object {
  const term = (of: string) => ({
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: key, labelSelector: { matchLabels: { app: of } } }],
  });
  if (repelledBy) return { affinity: { podAntiAffinity: term(repelledBy) } };
  if (attractedBy) return { affinity: { podAffinity: term(attractedBy) } };
  if (disk) return { nodeSelector: { disk } };
  if (!spread) return {};
  const labelSelector = { matchLabels: { app: own } };
  const constraint = { topologyKey: key, maxSkew: spread, whenUnsatisfiable: "DoNotSchedule", labelSelector };
  return { topologySpreadConstraints: [constraint] };
}

/** Whether a node of 1000m has room for a pod. */
const fits = (p: Pod, there: readonly Pod[]): boolean =>
  [...there.filter((q) => q.spec.nodeName === p.spec.nodeName), p].reduce(
    (sum, { spec }) => sum + (podRequests(spec)["cpu"] ?? 0),
    0,
  ) <= 1000;

const drawnCluster = fc
  .record({
    nodes: fc.array(
      fc.record({
        zone: fc.constantFrom("a", "b"),
        disk: fc.constantFrom("ssd", "hdd"),
        taint: fc.constantFrom(undefined, undefined, undefined, "NoSchedule", "PreferNoSchedule"),
      }),
      { minLength: 2, maxLength: 6 },
    ),
    rules: fc.tuple(rule, rule, rule, rule),
    pods: fc.array(
      fc.record({
        app,
        on: fc.nat(5),
        cpu: fc.constantFrom(50, 100, 200, 350),
        owner: fc.constantFrom("ReplicaSet", "ReplicaSet", "StatefulSet", "DaemonSet", null),
        priority: fc.constantFrom(0, 0, 10),
        ageSeconds: fc.nat(1_000_000),
        restartCount: fc.constantFrom(0, 0, 200),
      }),
      { maxLength: 24 },
    ),
    budgets: fc.array(fc.tuple(app, fc.integer({ min: 0, max: 3 })), { maxLength: 2 }),
    packing: fc.constantFrom<Packing>("MostAllocated", "MostAllocated", "LeastAllocated"),
  })
  .map(({ nodes, rules, pods, budgets, packing }) => {
    const drawnNodes = nodes.map(({ zone, disk, taint }, i): Node => {
      const taints = taint && [{ key: "dedicated", value: "x", effect: taint }];
      return node(`n${i}`, { zone, labels: { disk }, spec: { taints } });
    });
    const drawnPods = pods.map((p, i): Pod => {
      const spec = { ...specOf(p.app, rules[apps.indexOf(p.app)] as Rule), priority: p.priority };
      const status = { containerStatuses: [{ restartCount: p.restartCount }] };
      const ownerName = `${p.app}-${p.owner}`;
      const options = { cpu: p.cpu, owner: p.owner, ownerName, ageSeconds: p.ageSeconds, spec, status };
      return pod(`p${i}`, `n${p.on % nodes.length}`, { ...options, labels: { app: p.app } });
    });
    const fitting: Pod[] = [];
    for (const p of drawnPods) if (fits(p, fitting)) fitting.push(p);
    const drawnBudgets = budgets.map(([of, allowed], i) => budget(`budget-${i}`, of, allowed));
    return { of: cluster(drawnNodes, fitting, drawnBudgets), packing };
  });

const sets: readonly (readonly string[])[] = [
  strategies.filter((s) => s.isDefault).map((s) => s.name),
  strategies.map((s) => s.name).filter((name) => name !== "HighNodeUtilization"),
  ["HighNodeUtilization"],
  ["LowNodeUtilization"],
];

/** Pods and required rules that do not hold for them. */
function broken(of: Cluster): ReadonlySet<string> {
  const trial = simulations.MostAllocated.begin(of);
  const bound = of.pods.filter((p) => p.spec.nodeName !== undefined);
  for (const p of bound) trial.add(p);
  const rules: readonly PodRule[] = ["InterPodAffinity", "PodTopologySpread"];
  const byName = new Map(of.nodes.map((n) => [n.metadata.name, n]));
  return new Set(
    bound.flatMap((p) => [
      ...rules.filter((r) => trial.violation(p, r) !== undefined).map((r) => `${p.metadata.uid} ${r}`),
      ...(requiredMatcher(p.spec)?.(labelledNode(byName.get(p.spec.nodeName!)!)) === false
        ? [`${p.metadata.uid} NodeAffinity`]
        : []),
      ...(byName.get(p.spec.nodeName!)!.spec.taints?.some(({ effect }) => effect === "NoSchedule")
        ? [`${p.metadata.uid} TaintToleration`]
        : []),
    ]),
  );
}
const usedNodes = ({ pods }: Cluster): number => new Set(pods.filter(needsNode).map((p) => p.spec.nodeName)).size;

/** Carries out a move and checks what it does. */
function carriedOut(before: Cluster, move: Move, packing: Packing): Cluster {
  const after = afterMove(before, move, packing);
  const arrived = after.pods.find((p) => !before.pods.includes(p))!;
  expect([keyOf(move.pod), arrived.spec.nodeName]).toEqual([keyOf(move.pod), move.to]);
  expect(move.to).not.toBe(move.from);
  const held = broken(before);
  expect([...broken(after)].filter((what) => !held.has(what))).toEqual([]);
  if (move.strategy === "HighNodeUtilization") expect(usedNodes(after)).toBeLessThanOrEqual(usedNodes(before));
  return after;
}

test("a plan does what it says, and after a run there is nothing left to do", () => {
  const seen = { moves: 0, freed: 0, mended: 0, incomplete: 0 };
  fc.assert(
    fc.property(drawnCluster, fc.constantFrom(...sets), ({ of, packing }, names) => {
      const settings: Partial<Settings> = { strategies: names };
      const planFor = (now: Cluster): Plan => planOf(situation(now, settings, packing));
      const firstFor = (now: Cluster): Move | undefined =>
        planOf({ ...situation(now, settings, packing), isFirstEnough: true }).moves[0];
      const plan = planFor(of);
      const planned = plan.moves.reduce((now, move) => carriedOut(now, move, packing), of);
      for (const name of plan.freedNodes)
        expect(planned.pods.filter((p) => needsNode(p) && p.spec.nodeName === name)).toEqual([]);
      seen.freed += plan.freedNodes.length;
      seen.mended += broken(of).size - broken(planned).size;
      if (planFor(planned).moves.length > 0) seen.incomplete++;

      let now = of;
      for (let move = plan.moves[0], steps = 0; move; move = firstFor(now), steps++) {
        expect(steps).toBeLessThan(60);
        expect(move).toEqual(planFor(now).moves[0]);
        expect(move.allowances.every(({ disruptionsAllowed }) => disruptionsAllowed > 0)).toBe(true);
        now = carriedOut(now, move, packing);
        seen.moves++;
      }
      if (!names.some((name) => name !== "HighNodeUtilization"))
        expect(usedNodes(now)).toBeLessThanOrEqual(usedNodes(of));
    }),
    { seed: 1, numRuns: 300 },
  );
  expect(seen.moves).toBeGreaterThan(150);
  expect(seen.freed).toBeGreaterThan(50);
  expect(seen.mended).toBeGreaterThan(50);
  // Where moves make way for others, a plan does not have them all; a run has.
  expect(seen.incomplete).toBeLessThan(10);
});
