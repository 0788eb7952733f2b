// Pods that request extended resources which classes of devices provide: where they are placed, and the tables.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DeviceClass, Node, Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { type ApiObject, keyOf } from "../../../api/meta.ts";
import { providingClass } from "../../../api/extended-resources.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { podInfoOf } from "../../../scheduler/node-info.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins, pluginsWith } from "../../../scheduler/plugins/default.ts";
import { preparedPlacer } from "../../../scheduler/prepared-place.ts";
import { storedMeta } from "../stored-meta.ts";
import { allocatedTo, deviceClaim, deviceClass, gpus, slice } from "./devices.ts";
import { listersOf } from "./storage.ts";

const gpu = "example.com/gpu";
const implicit = "deviceclass.resource.kubernetes.io/gpus";
const provider = deviceClass("gpus", { extendedResourceName: gpu });
const node = (name: string, more: object = {}): Node =>
  ({ metadata: { name }, spec: {}, status: { allocatable: { pods: "10", cpu: "8", ...more } } }) as unknown as Node;
const podOf = (requests: object, name = "p", more: object = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: storedMeta(name, { namespace: "default" }),
  spec: { containers: [{ name: "c", image: "a:1", resources: { requests } }], ...more } as never,
});
const leftover = (status: ResourceClaim["status"] = {}): ResourceClaim => {
  const claim = deviceClaim("p-extended-resources-x", undefined, status);
  const { uid } = podOf({}).metadata;
  const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid, controller: true };
  const annotations = { "resource.kubernetes.io/extended-resource-claim": "true" };
  return { ...claim, metadata: { ...claim.metadata, annotations, ownerReferences: [owner] } };
};

function cluster(objects: readonly ApiObject[], nodes: readonly Node[], plugins = defaultPlugins()) {
  const cache = schedulerCache(listersOf(objects));
  for (const n of nodes) cache.nodeSeen(n.metadata.name, n);
  return (pod: Pod): string => {
    const placement = place(pod, cache.snapshot(), plugins);
    if (placement.outcome === "unschedulable") return placement.diagnosis.message;
    for (const plugin of plugins)
      plugin.reserve?.(placement.state.get(plugin.name), podInfoOf(pod), placement.nodeName);
    cache.podSeen(keyOf(pod), { ...pod, spec: { ...pod.spec, nodeName: placement.nodeName } });
    return placement.nodeName;
  };
}
const none = (reason: string, after = "still not schedulable"): string =>
  `0/2 nodes are available: 2 ${reason}. ${after}, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.`;
const plain = [node("n1"), node("n2")];
const onNode2 = slice("n2", { devices: gpus(2) });

type Row = readonly [what: string, pod: Pod, objects: readonly ApiObject[], nodes: readonly Node[], expected: string];
const table: readonly Row[] = [
  ["goes where the devices are", podOf({ [gpu]: "2" }), [provider, onNode2], plain, "n2"],
  ["by the name of the class", podOf({ [implicit]: "1" }), [deviceClass("gpus"), onNode2], plain, "n2"],
  [
    "goes to a node that has the resource itself",
    podOf({ [gpu]: "2" }),
    [provider],
    [node("n1"), node("n2", { [gpu]: "2" })],
    "n2",
  ],
  [
    "does not get devices where the node has the resource itself, but too little",
    podOf({ [gpu]: "2" }),
    [provider, onNode2],
    [node("n1"), node("n2", { [gpu]: "1" })],
    "0/2 nodes are available: 1 Insufficient example.com/gpu, 1 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  ],
  [
    "needs a class",
    podOf({ [gpu]: "1" }),
    [deviceClass("gpus"), onNode2],
    plain,
    none("Insufficient example.com/gpu", "no new claims to deallocate"),
  ],
  ["needs enough devices", podOf({ [gpu]: "3" }), [provider, onNode2], plain, none("cannot allocate all claims")],
  [
    "does not get devices in use",
    podOf({ [gpu]: "1" }),
    [provider, slice("n1", { devices: gpus(1) }), deviceClaim("d", {}, allocatedTo("gpu-0"))],
    plain,
    none("cannot allocate all claims"),
  ],
  [
    "has a claim left from before",
    podOf({ [gpu]: "1" }),
    [provider, onNode2, leftover()],
    plain,
    none("cannot schedule extended resource claim", "deletion of ResourceClaim completed"),
  ],
  [
    "is not concerned by the claim of another pod",
    podOf({ [gpu]: "1" }, "q"),
    [provider, onNode2, leftover()],
    plain,
    "n2",
  ],
  [
    "with a claim of its own needs devices for both",
    podOf({ [gpu]: "2" }, "p", { resourceClaims: [{ name: "gpu", resourceClaimName: "c" }] }),
    [provider, deviceClaim("c"), onNode2],
    plain,
    none("cannot allocate all claims"),
  ],
  [
    "with a claim of its own and the resource on the node",
    podOf({ [gpu]: "2" }, "p", { resourceClaims: [{ name: "gpu", resourceClaimName: "c" }] }),
    [provider, deviceClaim("c"), onNode2],
    [node("n1"), node("n2", { [gpu]: "2" })],
    "n2",
  ],
];
test.each(table)("a pod %s", (_, pod, objects, nodes, expected) => expect(cluster(objects, nodes)(pod)).toBe(expected));

test("what is decided is taken for later pods", () => {
  const placeOne = cluster([provider, onNode2], plain);
  const placed = ["a", "b", "c"].map((name) => placeOne(podOf({ [gpu]: "1" }, name)));
  expect(placed).toEqual(["n2", "n2", none("cannot allocate all claims")]);
});

test("resources that nodes have and that extenders look after", () => {
  const plugins = pluginsWith({
    scoring: { type: "MostAllocated" },
    ignoredResources: { names: ["example.com/x"], groups: [] },
  });
  const objects = [provider, slice("n1", { devices: gpus(1) }), onNode2];
  const placeOne = cluster(objects, [node("n1"), node("n2", { "example.com/x": "0" })], plugins);
  expect(placeOne(podOf({ [gpu]: "1", "example.com/x": "1" }))).toBe("n2");
});

const at = (name: string, seconds: number, extendedResourceName?: string): DeviceClass => {
  const found = deviceClass(name, extendedResourceName === undefined ? {} : { extendedResourceName });
  const creationTimestamp = new Date(seconds * 1_000).toISOString();
  return { ...found, metadata: { ...found.metadata, creationTimestamp } };
};
test.each<[string, readonly DeviceClass[], string | undefined]>([
  [gpu, [at("a", 1, gpu), at("b", 2, gpu), at("c", 1, gpu)], "b"],
  [gpu, [at("b", 1, gpu), at("a", 1, gpu)], "a"],
  [gpu, [at("a", 1, "example.com/other"), at("b", 1)], undefined],
  [implicit, [at("a", 1, gpu), at("gpus", 1, gpu)], "gpus"],
  [implicit, [at("a", 1, gpu)], undefined],
])("the class that provides %s", (resource, classes, expected) =>
  expect(providingClass(resource, classes)?.metadata.name).toBe(expected),
);

const scoring = (resource: string) =>
  pluginsWith({
    scoring: { type: "MostAllocated", resources: [{ name: resource, weight: 1 }] },
    isBalanced: true,
    balancedResources: [
      { name: resource, weight: 1 },
      { name: "cpu", weight: 1 },
    ],
  });
test("devices count in scores", () => {
  const objects = [
    provider,
    slice("n1", { devices: gpus(4) }),
    slice("n2", { devices: gpus(2) }),
    slice("n3", { devices: gpus(4) }),
    deviceClaim(
      "d",
      {},
      {
        allocation: {
          devices: {
            results: [
              { request: "r", driver: "gpu.example.com", pool: "n3", device: "gpu-0" },
              { request: "r", driver: "gpu.example.com", pool: "n3", device: "gpu-1" },
            ],
          },
        },
      },
    ),
  ];
  const three = [node("n1"), node("n2"), node("n3")];
  expect(cluster(objects, three, scoring(gpu))(podOf({ [gpu]: "1" }))).toBe("n3");
  expect(cluster(objects.slice(0, 4), three, scoring(gpu))(podOf({ [gpu]: "1" }))).toBe("n2");
});

const request = fc.constantFrom<object>(
  { cpu: "1" },
  { [gpu]: "1" },
  { [implicit]: "1", cpu: "1" },
  { "example.com/x": "1" },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("place" as const), requests: request }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("class" as const),
      has: fc.boolean(),
      name: fc.constantFrom(gpu, "example.com/x"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("node" as const),
      i: fc.nat(2),
      own: fc.constantFrom({}, { [gpu]: "2" }, { [gpu]: "0" }),
    }),
  },
);
test("decisions from tables equal those that look at every node, while classes and nodes change", () => {
  const seen = new Map<string, number>();
  const run = (
    steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
    plugins: () => ReturnType<typeof scoring>,
  ): void => {
    const names = ["n0", "n1", "n2"];
    let classes: readonly DeviceClass[] = [];
    const slices = names.map((name, i) => slice(name, { devices: gpus(2 + i) }));
    const read = (kind: Parameters<ReturnType<typeof listersOf>>[0]) => listersOf([...slices, ...classes])(kind);
    const cache = schedulerCache(read as ReturnType<typeof listersOf>);
    for (const name of names) cache.nodeSeen(name, node(name));
    const placer = preparedPlacer();
    const [fast, slow] = [plugins(), plugins()];
    for (const [i, s] of steps.entries()) {
      if (s.do === "class") classes = s.has ? [deviceClass("gpus", { extendedResourceName: s.name })] : [];
      if (s.do === "node") cache.nodeSeen(names[s.i]!, node(names[s.i]!, s.own));
      if (s.do !== "place") continue;
      const pod = podOf(s.requests, `p${i}`);
      const [a, b] = [placer(pod, cache.snapshot(), fast), place(pod, cache.snapshot(), slow)];
      const what = (p: typeof a) =>
        p.outcome === "placed"
          ? [p.nodeName, p.scores()]
          : [p.diagnosis.message, p.diagnosis.rejections.nodes().length];
      expect(what(a)).toEqual(what(b));
      seen.set(b.outcome, (seen.get(b.outcome) ?? 0) + 1);
      if (b.outcome === "placed") cache.podSeen(keyOf(pod), { ...pod, spec: { ...pod.spec, nodeName: b.nodeName } });
    }
  };
  const property = fc.property(fc.array(step, { minLength: 20, maxLength: 40 }), (steps) => {
    run(steps, defaultPlugins);
    run(steps, () => scoring(gpu));
  });
  fc.assert(property, { numRuns: 60 });
  for (const outcome of ["placed", "unschedulable"]) expect(seen.get(outcome)).toBeGreaterThan(100);
});
