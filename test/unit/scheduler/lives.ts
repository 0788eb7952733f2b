// Clusters drawn at random: nodes and pods that come, change and go, and pods to be placed.
import fc from "fast-check";
import type { Node, Pod, PodDisruptionBudget } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import type { SchedulerCache } from "../../../scheduler/cache.ts";
import type { Placement } from "../../../scheduler/place.ts";

const nodeNames = ["n0", "n1", "n2", "n3", "n4", "n5"];
const images = ["app:1", "db:1"];
const node = fc
  .record({
    name: fc.constantFrom(...nodeNames),
    zone: fc.constantFrom("x", "y", undefined),
    taint: fc.constantFrom(undefined, "NoSchedule", "PreferNoSchedule"),
    isCordoned: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
    cpu: fc.constantFrom("1", "2"),
    pods: fc.constantFrom("3", "5"),
    images: fc.oneof(
      { weight: 4, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.subarray(images) },
    ),
  })
  .map(
    (n) =>
      ({
        metadata: { name: n.name, labels: { "kubernetes.io/hostname": n.name, ...(n.zone && { zone: n.zone }) } },
        spec: { unschedulable: n.isCordoned, taints: n.taint ? [{ key: "gpu", effect: n.taint }] : [] },
        status: {
          allocatable: { cpu: n.cpu, memory: "4Gi", pods: n.pods },
          images: n.images.map((name, i) => ({ names: [name], sizeBytes: (200 + 300 * i) * 2 ** 20 })),
        },
      }) as unknown as Node,
  );

const requires = (kind: string, app: string, topologyKey: string) => ({
  affinity: {
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }],
    },
  },
});
const spread = (whenUnsatisfiable: string) => ({
  topologySpreadConstraints: [
    { topologyKey: "zone", maxSkew: 1, whenUnsatisfiable, labelSelector: { matchLabels: { app: "a" } } },
  ],
});
/** Few, so that pods are of the same kind. */
const specs: readonly object[] = [
  {},
  { nodeSelector: { zone: "x" } },
  { tolerations: [{ key: "gpu", operator: "Exists" }] },
  {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 5, preference: { matchExpressions: [{ key: "zone", operator: "In", values: ["y"] }] } },
        ],
      },
    },
  },
  {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1", "n2"] }] }],
        },
      },
    },
  },
  requires("podAffinity", "a", "zone"),
  requires("podAntiAffinity", "a", "kubernetes.io/hostname"),
  spread("DoNotSchedule"),
  spread("ScheduleAnyway"),
];
const container = (cpu: string, image: string, hostPort: number | undefined): object => ({
  ...{ name: "c", image, resources: { requests: { cpu } } },
  ...(hostPort !== undefined && { ports: [{ containerPort: hostPort, hostPort }] }),
});
/** A life has few, so that pods are of the same kind. */
const template = fc.record({
  spec: fc.constantFrom(...specs),
  cpu: fc.constantFrom("100m", "500m", "900m"),
  image: fc.constantFrom(...images),
  hostPort: fc.constantFrom(undefined, undefined, undefined, 80),
  priority: fc.constantFrom(0, 10),
});
type Template = typeof template extends fc.Arbitrary<infer T> ? T : never;
const identity = fc.record({
  name: fc.constantFrom(...Array.from({ length: 16 }, (_, i) => `p${i}`)),
  app: fc.constantFrom("a", "b"),
  nominated: fc.constantFrom(undefined, undefined, undefined, ...nodeNames),
  startTime: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
  template: fc.nat({ max: 3 }),
});
type Identity = typeof identity extends fc.Arbitrary<infer T> ? T : never;

function podOf({ name, app, nominated, startTime, template: i }: Identity, templates: readonly Template[]): Pod {
  const { spec, cpu, image, hostPort, priority } = templates[i % templates.length]!;
  return {
    metadata: { name, namespace: "d", labels: { app } },
    spec: { ...spec, priority, containers: [container(cpu, image, hostPort)] },
    status: { startTime, ...(nominated && { nominatedNodeName: nominated }) },
  } as unknown as Pod;
}
/** Protects the pods of one app. */
export const budget = {
  kind: "PodDisruptionBudget",
  metadata: { name: "b", namespace: "d" },
  spec: { selector: { matchLabels: { app: "b" } } },
  status: { disruptionsAllowed: 1 },
} as unknown as PodDisruptionBudget;

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("node" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop node" as const), name: fc.constantFrom(...nodeNames) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("drop pod" as const), pod: identity }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("expect" as const), pod: identity }) },
  { weight: 25, arbitrary: fc.record({ do: fc.constant("place" as const), pod: identity }) },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export interface Life {
  readonly templates: readonly Template[];
  readonly steps: readonly Step[];
}
/** A cluster whose nodes and pods come, change and go while pods are placed. */
export const lives: fc.Arbitrary<Life> = fc
  .record({
    templates: fc.array(template, { minLength: 1, maxLength: 3 }),
    first: fc.array(node, { minLength: 3, maxLength: 6 }),
    later: fc.array(step, { minLength: 60, maxLength: 100 }),
  })
  .map(({ templates, first, later }) => ({
    templates,
    steps: [...first.map((n) => ({ do: "node" as const, node: n })), ...later],
  }));

/** Carries out the steps; `place` decides the pods. */
export function live({ templates, steps }: Life, cache: SchedulerCache, place: (pod: Pod) => Placement): void {
  for (const s of steps) {
    if (s.do === "node") cache.nodeSeen(s.node.metadata.name, s.node);
    if (s.do === "drop node") cache.nodeSeen(s.name, undefined);
    if (!("pod" in s)) continue;
    const pod = podOf(s.pod, templates);
    cache.podSeen(keyOf(pod), undefined);
    if (s.do !== "drop pod") cache.podSeen(keyOf(pod), pod);
    if (s.do !== "place") continue;
    const placement = place(pod);
    if (placement.outcome === "placed")
      cache.podSeen(keyOf(pod), { ...pod, spec: { ...pod.spec, nodeName: placement.nodeName } });
    else cache.nominate(pod, placement.diagnosis.nominatedNodeName);
  }
}
