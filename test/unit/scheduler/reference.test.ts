// The optimized scheduler places every pod on the same node as a reference implementation of its rules.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { referencePlace } from "./reference.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });
/** True with probability one eighth. */
const rarely = fc.integer({ min: 0, max: 7 }).map((n) => n === 0);
const zone = fc.constantFrom("a", "b");
const nodeNames = ["n0", "n1", "n2", "n3", "n4"];
const images = ["app:1", "db:1", "example.org:5000/tool:2"];
const mebi = 2 ** 20;

const taint = fc.record({
  key: fc.constantFrom("gpu", "spot"),
  value: fc.constantFrom("x", "y"),
  effect: fc.constantFrom("NoSchedule", "PreferNoSchedule", "NoExecute"),
});
const node = fc
  .record({
    name: fc.constantFrom(...nodeNames),
    zone: maybe(zone),
    topology: maybe(zone),
    taints: fc.oneof(fc.constant([]), fc.array(taint, { maxLength: 2 })),
    unschedulable: rarely,
    cpu: fc.constantFrom("1", "2", "1500m"),
    memory: fc.constantFrom("1Gi", "3Gi"),
    pods: fc.constantFrom("2", "5"),
    gpus: fc.constantFrom(undefined, "1", "2"),
    images: fc.subarray(images),
  })
  .map(
    (n) =>
      ({
        metadata: {
          name: n.name,
          labels: { ...(n.zone && { zone: n.zone }), ...(n.topology && { "topology.kubernetes.io/zone": n.topology }) },
        },
        spec: { taints: n.taints, ...(n.unschedulable && { unschedulable: true }) },
        status: {
          allocatable: { cpu: n.cpu, memory: n.memory, pods: n.pods, ...(n.gpus && { "example.org/gpu": n.gpus }) },
          images: n.images.map((name, i) => ({ names: [name], sizeBytes: (100 + 300 * i) * mebi })),
        },
      }) as unknown as Node,
  );

const container = fc.record({
  image: fc.constantFrom(...images),
  requests: fc.record(
    {
      cpu: fc.constantFrom("0", "100m", "300m"),
      memory: fc.constantFrom("64Mi", "1Gi"),
      "example.org/gpu": fc.constant("1"),
    },
    { requiredKeys: [] },
  ),
  port: fc.constantFrom(undefined, undefined, 80, 443),
});
const pod = fc
  .record({
    name: fc.constantFrom(...Array.from({ length: 12 }, (_, i) => `p${i}`)),
    containers: fc.array(container, { minLength: 1, maxLength: 2 }),
    zone: maybe(zone),
    preferred: maybe(fc.record({ weight: fc.integer({ min: 1, max: 100 }), zone })),
    named: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, fc.subarray(nodeNames, { minLength: 3 })),
    tolerated: maybe(fc.record({ key: fc.constantFrom("gpu", "spot"), operator: fc.constant("Exists") })),
  })
  .map((p) => {
    const preferred = p.preferred && {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: p.preferred.weight,
          preference: { matchExpressions: [{ key: "zone", operator: "In", values: [p.preferred.zone] }] },
        },
      ],
    };
    const required = p.named && {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: p.named }] }],
      },
    };
    const containers = p.containers.map(({ image, requests, port }, i) => ({
      name: `c${i}`,
      image,
      resources: { requests },
      ...(port !== undefined && { ports: [{ containerPort: port, hostPort: port }] }),
    }));
    return {
      metadata: { name: p.name, namespace: "d" },
      spec: {
        containers,
        ...(p.zone && { nodeSelector: { zone: p.zone } }),
        affinity: { nodeAffinity: { ...preferred, ...required } },
        tolerations: p.tolerated ? [p.tolerated] : [],
      },
    } as unknown as Pod;
  });

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("node" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop node" as const), name: fc.constantFrom(...nodeNames) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("place" as const), pod }) },
);

const life = fc
  .tuple(fc.array(node, { minLength: 4, maxLength: 8 }), fc.array(step, { minLength: 10, maxLength: 40 }))
  .map(([first, then]) => [...first.map((n) => ({ do: "node" as const, node: n })), ...then]);

test("every pod is placed as by the reference implementation", () => {
  const plugins = defaultPlugins();
  fc.assert(
    fc.property(life, fc.nat(), (steps, startIndex) => {
      const cache = schedulerCache();
      const nodes = new Map<string, Node>();
      const placed = new Map<string, Pod>();
      for (const s of steps) {
        if (s.do === "node") nodes.set(s.node.metadata.name, s.node);
        if (s.do === "drop node") nodes.delete(s.name);
        if (s.do === "node") cache.nodeSeen(s.node.metadata.name, s.node);
        if (s.do === "drop node") cache.nodeSeen(s.name, undefined);
        if (s.do !== "place") continue;
        const key = keyOf(s.pod);
        cache.podSeen(key, undefined);
        placed.delete(key);
        const all = [...nodes.values()].map((n) => ({
          node: n,
          pods: [...placed.values()].filter((p) => p.spec.nodeName === n.metadata.name),
        }));
        const expected = referencePlace(s.pod, all);
        const placement = place(s.pod, cache.snapshot(), plugins, { startIndex });
        expect(placement.outcome === "placed" ? placement.nodeName : undefined).toBe(expected);
        if (expected === undefined) continue;
        const bound = { ...s.pod, spec: { ...s.pod.spec, nodeName: expected } };
        placed.set(key, bound);
        if (startIndex % 2 === 0) cache.assume(s.pod, expected);
        else cache.podSeen(key, bound);
      }
    }),
    { numRuns: 250 },
  );
});
