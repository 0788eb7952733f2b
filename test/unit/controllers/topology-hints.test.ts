// Topology hints: endpoints are allocated to zones in proportion to their processors, or not at all.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Endpoint, EndpointSlice, Node, Pod, Service } from "../../../api/generated/types.ts";
import { services } from "../../../api/core/services.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { decide } from "../../../controllers/endpointslice/decide.ts";
import { cpuRatiosByZone, hasHints } from "../../../controllers/endpointslice/topology.ts";
import { asStored, carryOut, pod } from "./world.ts";

const node = (
  name: string,
  zone: string,
  more: { readonly cpu?: string; readonly ready?: boolean; readonly labels?: object } = {},
) =>
  asStored<Node>({
    kind: "Node",
    metadata: { name, labels: { ...(zone && { "topology.kubernetes.io/zone": zone }), ...more.labels } },
    status: {
      allocatable: { cpu: more.cpu ?? "4" },
      conditions: [{ type: "Ready", status: (more.ready ?? true) ? "True" : "False" }],
    },
  });
const controlPlane = { labels: { "node-role.kubernetes.io/control-plane": "" } };

const cpuRatios: readonly (readonly [what: string, nodes: readonly Node[], cpuRatios: object | undefined])[] = [
  ["two equal zones", [node("a", "a"), node("b", "b")], { a: 0.5, b: 0.5 }],
  ["by processors", [node("a", "a"), node("b", "b", { cpu: "8" }), node("c", "b")], { a: 0.25, b: 0.75 }],
  ["one zone", [node("a", "a"), node("b", "a")], undefined],
  ["a node without a zone", [node("a", "a"), node("b", "b"), node("c", "")], undefined],
  ["a node without processors", [node("a", "a"), node("b", "b", { cpu: "0" })], undefined],
  [
    "nodes that are not ready do not count",
    [node("a", "a"), node("b", "b"), node("c", "", { ready: false })],
    { a: 0.5, b: 0.5 },
  ],
  ["nor do control planes", [node("a", "a"), node("b", "b"), node("c", "c", controlPlane)], { a: 0.5, b: 0.5 }],
  ["no nodes", [], undefined],
];
for (const [what, nodes, expected] of cpuRatios)
  test(`hints: CPU ratios of zones: ${what}`, () => {
    const found = cpuRatiosByZone(nodes);
    expect(found && Object.fromEntries(found)).toEqual(expected);
  });

const service = (annotations: Readonly<Record<string, string>>, spec: object = {}): Service =>
  asStored<Service>(
    services.defaults({
      kind: "Service",
      metadata: { name: "web", namespace: "default", uid: "s1", annotations } as object,
      spec: { selector: { app: "web" }, ports: [{ port: 80 }], clusterIP: "10.96.0.9", ...spec },
    } as never),
  );
const auto = { "service.kubernetes.io/topology-mode": "Auto" };
const even = [node("a", "a"), node("b", "b")];

test("hints: two annotations enable them", () => {
  const old = "service.kubernetes.io/topology-aware-hints";
  const all: readonly Readonly<Record<string, string>>[] = [
    auto,
    { [old]: "auto" },
    {},
    { ...auto, [old]: "Disabled" },
  ];
  expect(all.map((a) => hasHints(service(a)))).toEqual([true, true, false, false]);
});

/** Pods on nodes, by the names of the nodes. */
const podsOn = (names: readonly string[], ready = true): readonly Pod[] =>
  names.map((nodeName, i) => {
    const p = pod(`p${String(i).padStart(3, "0")}`, { ready, spec: { nodeName, containers: [{ name: "c" }] } });
    return { ...p, status: { ...p.status, podIP: `10.244.0.${i + 1}` } };
  });
const look = (s: Service, pods: readonly Pod[], nodes: readonly Node[], slices: readonly EndpointSlice[] = []) =>
  decide({
    ...{ service: s, pods, slices, endpoints: undefined, cpuRatios: cpuRatiosByZone(nodes) },
    nodeOf: (name) => nodes.find(({ metadata }) => metadata.name === name),
  }).actions;
const slicesAfter = (s: Service, pods: readonly Pod[], nodes: readonly Node[], slices: readonly EndpointSlice[] = []) =>
  (carryOut(look(s, pods, nodes, slices), slices) as readonly ApiObject[]).filter(
    (o): o is EndpointSlice => o.kind === "EndpointSlice",
  );
const endpointsOf = (slices: readonly EndpointSlice[]): readonly Endpoint[] => slices.flatMap((s) => s.endpoints ?? []);
const hintsIn = (slices: readonly EndpointSlice[]): string =>
  endpointsOf(slices)
    .map((e) => e.hints?.forZones?.map(({ name }) => name).join("+") ?? "-")
    .join(" ");
const eventsOf = (...of: Parameters<typeof look>): readonly string[] =>
  look(...of).flatMap((a) => (a.do === "event" ? [`${a.type} ${a.reason} ${a.message}`] : []));

const tooFew = "Insufficient number of endpoints (1 endpoints, 2 zones), addressType: IPv4";
const overloaded =
  "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 2 zones), addressType: IPv4";
const unknown =
  "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4";
const enabled = "Normal TopologyAwareHintsEnabled Topology Aware Hints has been enabled, addressType: IPv4";
const table: readonly (readonly [what: string, pods: string, nodes: readonly Node[], hints: string, event: string])[] =
  [
    ["each in its zone", "a b", even, "a b", enabled],
    ["one zone has more than its ratio", "a a a b", even, "b a a b", enabled],
    ["all in one zone", "a a a a", even, "b b a a", enabled],
    ["fewer endpoints than zones", "a", even, "-", `Warning TopologyAwareHintsDisabled ${tooFew}`],
    ["a zone would be overloaded", "a a b", even, "- - -", `Warning TopologyAwareHintsDisabled ${overloaded}`],
    ["one zone only", "a a", [node("a", "a")], "- -", `Warning TopologyAwareHintsDisabled ${unknown}`],
    ["unequal zones", "a a a b b b b b", [node("a", "a"), node("b", "b", { cpu: "12" })], "b a a b b b b b", enabled],
  ];
for (const [what, on, nodes, hints, event] of table)
  test(`hints: ${what}`, () => {
    const pods = podsOn(on.split(" "));
    expect(hintsIn(slicesAfter(service(auto), pods, nodes))).toBe(hints);
    expect(eventsOf(service(auto), pods, nodes)).toEqual([event]);
  });

test("hints: endpoints that are not ready have none and do not count", () => {
  const pods = [
    ...podsOn(["a", "b"]),
    ...podsOn(["a"], false).map((p) => ({ ...p, metadata: { ...p.metadata, name: "q" } })),
  ];
  expect(hintsIn(slicesAfter(service(auto), pods, even))).toBe("a b -");
});

test("hints: they go with the annotation, with an event, and traffic distribution has its own", () => {
  const pods = podsOn(["a", "b"]);
  const slices = slicesAfter(service(auto), pods, even);
  expect(hintsIn(slicesAfter(service({}), pods, even, slices))).toBe("- -");
  expect(eventsOf(service({}), pods, even, slices)).toEqual([
    "Warning TopologyAwareHintsDisabled Topology Aware Hints has been disabled, addressType: IPv4",
  ]);
  const distributed = { trafficDistribution: "PreferSameNode" };
  const forNodes = (s: Service) => endpointsOf(slicesAfter(s, pods, even)).map((e) => e.hints?.forNodes?.[0]?.name);
  expect(forNodes(service({}, distributed))).toEqual(["a", "b"]);
  expect(forNodes(service(auto, distributed))).toEqual([undefined, undefined]);
});

test("hints: they go when a zone is lost", () => {
  const pods = podsOn(["a", "b"]);
  const slices = slicesAfter(service(auto), pods, even);
  const lost = [node("a", "a"), node("b", "b", { ready: false })];
  expect(hintsIn(slicesAfter(service(auto), pods, lost, slices))).toBe("- -");
});

test("hints: a slice whose hints will do is left alone", () => {
  const pods = podsOn(["a", "a", "a", "b", "b", "b"]);
  const slices = slicesAfter(service(auto), pods, even);
  const uneven = [node("a", "a"), node("b", "b", { cpu: "4500m" })];
  expect(look(service(auto), pods, uneven, slices).filter((a) => a.do === "update")).toEqual([]);
});

test("hints: the second decision changes nothing, all ready endpoints have a hint or none has", () => {
  const anyPods = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 250 });
  const cpus = fc.tuple(...["a", "b", "c"].map(() => fc.integer({ min: 1, max: 16 })));
  fc.assert(
    fc.property(anyPods, anyPods, cpus, (first, second, [a, b, c]) => {
      const nodes = Object.entries({ a, b, c }).map(([name, cpu]) => node(name, name, { cpu: String(cpu) }));
      let slices: readonly EndpointSlice[] = [];
      for (const on of [first, second]) {
        const pods = podsOn(on);
        slices = slicesAfter(service(auto), pods, nodes, slices);
        const hinted = endpointsOf(slices).filter((e) => e.hints).length;
        expect([0, pods.length]).toContain(hinted);
        const again = look(service(auto), pods, nodes, slices).filter((x) => x.do !== "event" && x.do !== "create");
        expect(again).toEqual([]);
      }
    }),
    { numRuns: 50 },
  );
});
