// Pod affinity and topology spread, read from counts that follow pods and nodes, equal a plain reading of all pods.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Namespace, Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { place } from "../../../scheduler/place.ts";
import { interPodAffinity } from "../../../scheduler/plugins/pod-affinity.ts";
import { podTopologySpread } from "../../../scheduler/plugins/topology-spread.ts";
import type { SchedulerPlugin } from "../../../scheduler/framework.ts";
import { affinityRefusal, attraction, scaledAttractions, spreadRefusal, spreadScores } from "./reference-topology.ts";
import type { Occupied } from "./reference.ts";
import { listersOf } from "./storage.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq });
const keys = ["zone", "kubernetes.io/hostname", "rack"];
const nodeNames = ["n0", "n1", "n2", "n3", "n4"];
const namespaceNames = ["d", "e"];
const apps = ["a", "b"];

const node = fc
  .record({
    name: fc.constantFrom(...nodeNames),
    zone: maybe(fc.constantFrom("x", "y", "z"), 5),
    rack: maybe(fc.constantFrom("r", "s")),
    isNamed: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
    isTainted: fc.boolean(),
  })
  .map(
    ({ name, zone, rack, isNamed, isTainted }) =>
      ({
        metadata: {
          name,
          labels: { ...(zone && { zone }), ...(rack && { rack }), ...(isNamed && { "kubernetes.io/hostname": name }) },
        },
        spec: { taints: isTainted ? [{ key: "gpu", effect: "NoSchedule" }] : [] },
        status: { allocatable: { pods: "9" } },
      }) as unknown as Node,
  );

const selector = fc.oneof(
  fc.constantFrom(...apps).map((app) => ({ matchLabels: { app } })),
  fc.constant({ matchExpressions: [{ key: "app", operator: "In", values: apps }] }),
  fc.constant({ matchExpressions: [{ key: "app", operator: "NotIn", values: ["a"] }] }),
  fc.constant({}),
);
const term = fc.record(
  {
    labelSelector: selector,
    topologyKey: fc.constantFrom(...keys),
    namespaces: fc.subarray(namespaceNames, { minLength: 1 }),
    namespaceSelector: fc.constantFrom({}, { matchLabels: { team: "one" } }),
  },
  { requiredKeys: ["labelSelector", "topologyKey"] },
);
const few = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(arbitrary, { maxLength: 2 }) });
const preference = fc.record({ weight: fc.integer({ min: 1, max: 100 }), podAffinityTerm: term });
const constraint = fc.record(
  {
    topologyKey: fc.constantFrom(...keys),
    whenUnsatisfiable: fc.constantFrom("DoNotSchedule", "ScheduleAnyway"),
    maxSkew: fc.integer({ min: 1, max: 3 }),
    labelSelector: selector.filter((s) => Object.keys(s).length > 0),
    minDomains: fc.integer({ min: 1, max: 4 }),
    matchLabelKeys: fc.constantFrom(["version"], ["absent"]),
    nodeAffinityPolicy: fc.constantFrom("Honor", "Ignore"),
    nodeTaintsPolicy: fc.constantFrom("Honor", "Ignore"),
  },
  { requiredKeys: ["topologyKey", "whenUnsatisfiable", "maxSkew", "labelSelector"] },
);
const pod = fc
  .record({
    name: fc.constantFrom(...Array.from({ length: 14 }, (_, i) => `p${i}`)),
    namespace: fc.constantFrom(...namespaceNames),
    app: maybe(fc.constantFrom(...apps), 6),
    version: fc.constantFrom("1", "2"),
    zone: maybe(fc.constantFrom("x", "y"), 1),
    isTolerant: fc.boolean(),
    isEnding: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    required: few(term),
    preferred: few(preference),
    forbidden: few(term),
    avoided: few(preference),
    constraints: few(constraint),
  })
  .map(
    (p) =>
      ({
        metadata: {
          name: p.name,
          namespace: p.namespace,
          labels: { ...(p.app && { app: p.app }), version: p.version },
          ...(p.isEnding && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        },
        spec: {
          containers: [],
          ...(p.zone && { nodeSelector: { zone: p.zone } }),
          tolerations: p.isTolerant ? [{ key: "gpu", operator: "Exists" }] : [],
          affinity: {
            podAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: p.required,
              preferredDuringSchedulingIgnoredDuringExecution: p.preferred,
            },
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: p.forbidden,
              preferredDuringSchedulingIgnoredDuringExecution: p.avoided,
            },
          },
          topologySpreadConstraints: p.constraints,
        },
      }) as unknown as Pod,
  );

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("node" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop node" as const), name: fc.constantFrom(...nodeNames) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("put" as const), pod, on: fc.constantFrom(...nodeNames) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("place" as const), pod }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const namespaces = namespaceNames.map(
  (name) =>
    ({
      kind: "Namespace",
      metadata: { name, ...(name === "e" && { labels: { team: "one" } }) },
    }) as unknown as Namespace,
);
const scored = (plugin: string, weight: number, scores: readonly number[], i: number) => ({
  [plugin]: weight * scores[i]!,
});

function expected(p: Pod, all: readonly Occupied[]) {
  const refusalOn = (on: Occupied): string | undefined =>
    spreadRefusal(p, on, all) ?? affinityRefusal(p, on, all, namespaces);
  const feasible = all.filter((on) => refusalOn(on) === undefined);
  const spread = spreadScores(p, feasible, all);
  const raw = feasible.map((on) => attraction(p, on, all, namespaces));
  const attractions = scaledAttractions(raw);
  const hasSoft = p.spec.topologySpreadConstraints?.some((c) => c.whenUnsatisfiable === "ScheduleAnyway");
  return {
    refusals: Object.fromEntries(
      all.flatMap((on) => (refusalOn(on) === undefined ? [] : [[on.node.metadata.name, refusalOn(on)]])),
    ),
    scores: Object.fromEntries(
      feasible.map((on, i) => [
        on.node.metadata.name,
        {
          ...(hasSoft && scored("PodTopologySpread", 2, spread, i)),
          InterPodAffinity: 2 * attractions[i]!,
        },
      ]),
    ),
  };
}

function run(steps: readonly Step[], plugins: readonly SchedulerPlugin[]): void {
  const cache = schedulerCache(listersOf(namespaces));
  const nodes = new Map<string, Node>();
  const placed = new Map<string, Pod>();
  const put = (p: Pod, nodeName: string): void => {
    const bound = { ...p, spec: { ...p.spec, nodeName } };
    placed.set(keyOf(p), bound);
    cache.podSeen(keyOf(p), bound);
  };
  for (const s of steps) {
    if (s.do === "node") nodes.set(s.node.metadata.name, s.node);
    if (s.do === "drop node") nodes.delete(s.name);
    if (s.do === "node") cache.nodeSeen(s.node.metadata.name, s.node);
    if (s.do === "drop node") cache.nodeSeen(s.name, undefined);
    if (s.do === "put") put(s.pod, s.on);
    if (s.do !== "place") continue;
    cache.podSeen(keyOf(s.pod), undefined);
    placed.delete(keyOf(s.pod));
    const all = [...nodes.values()].map((n) => ({
      node: n,
      pods: [...placed.values()].filter((p) => p.spec.nodeName === n.metadata.name),
    }));
    const placement = place(s.pod, cache.snapshot(), plugins);
    const { refusals, scores } = expected(s.pod, all);
    if (placement.outcome === "unschedulable") {
      expect(Object.keys(scores)).toEqual([]);
      const statuses = placement.diagnosis.rejections
        .nodes()
        .map(({ nodeName, status }) => [nodeName, status.reasons[0]]);
      expect(Object.fromEntries(statuses)).toEqual(refusals);
      continue;
    }
    const byNode = placement.scores().map(({ nodeName, byPlugin }) => [nodeName, { InterPodAffinity: 0, ...byPlugin }]);
    if (placement.scores().length > 0) expect(Object.fromEntries(byNode)).toEqual(scores);
    else expect(Object.keys(scores)).toEqual([placement.nodeName]);
    put(s.pod, placement.nodeName);
  }
}

test("counts by topology equal a count of all pods", () => {
  const plugins = [podTopologySpread(), interPodAffinity()] as readonly SchedulerPlugin[];
  fc.assert(
    fc.property(fc.array(node, { minLength: 3, maxLength: 8 }), fc.array(step, { maxLength: 40 }), (first, then) =>
      run([...first.map((n) => ({ do: "node" as const, node: n })), ...then], plugins),
    ),
    { numRuns: 400 },
  );
});
