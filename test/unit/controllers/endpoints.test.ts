import { expect, test } from "vitest";
import type { Endpoints, EndpointSlice, Node, Pod, Service } from "../../../api/generated/types.ts";
import { services } from "../../../api/core/services.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { decide } from "../../../controllers/endpointslice/decide.ts";
import { ago, asStored, carryOut, pod, summaryOf } from "./world.ts";

const service = (spec: object = {}): Service =>
  asStored<Service>(
    services.defaults({
      kind: "Service",
      metadata: { name: "web", namespace: "default", uid: "s1" } as object,
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }], clusterIP: "10.96.0.9", ...spec },
    } as never),
  );
const serving = (
  name: string,
  ip: string,
  more: { readonly ready?: boolean; readonly phase?: string; readonly metadata?: object; readonly port?: number } = {},
): Pod => {
  const p = pod(name, {
    ...more,
    spec: { containers: [{ name: "c", ports: [{ name: "http", containerPort: more.port ?? 8080 }] }] },
  });
  return { ...p, status: { ...p.status, podIP: ip } };
};
const look = (
  s: Service | undefined,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[] = [],
  endpoints?: Endpoints,
) => decide({ service: s, pods, nodeOf: () => undefined, slices, endpoints }).actions;
const slicesIn = (s: Service, pods: readonly Pod[]) =>
  look(s, pods).flatMap((a) =>
    a.do === "create" && a.draft.kind === "EndpointSlice" ? [a.draft as EndpointSlice] : [],
  );
const summariesOf = (s: EndpointSlice) =>
  (s.endpoints ?? []).map(
    (e) =>
      `${e.addresses[0]}:${s.ports?.[0]?.port} ${e.conditions?.ready ? "ready" : e.conditions?.serving ? "serving" : "not ready"}`,
  );

const table: readonly (readonly [what: string, pods: readonly Pod[], endpoints: readonly string[]])[] = [
  ["a ready pod", [serving("a", "10.244.1.2")], ["10.244.1.2:8080 ready"]],
  ["an unready pod", [serving("a", "10.244.1.2", { ready: false })], ["10.244.1.2:8080 not ready"]],
  [
    "a terminating pod that is ready",
    [serving("a", "10.244.1.2", { metadata: { deletionTimestamp: ago(1) } })],
    ["10.244.1.2:8080 serving"],
  ],
  ["a completed pod is omitted", [serving("a", "10.244.1.2", { phase: "Failed" })], []],
  ["a pod without an address is omitted", [serving("a", "")], []],
  ["a pod that does not match is omitted", [serving("a", "10.244.1.2", { metadata: { labels: { app: "api" } } })], []],
  [
    "named ports resolve per pod",
    [serving("a", "10.244.1.2"), serving("b", "10.244.1.3", { port: 9090 })],
    ["10.244.1.2:8080 ready", "10.244.1.3:9090 ready"],
  ],
];
for (const [what, pods, endpoints] of table)
  test(`endpoints: ${what}`, () => expect(slicesIn(service(), pods).flatMap(summariesOf)).toEqual(endpoints));

test("endpoints: at most a hundred per slice", () => {
  const pods = Array.from({ length: 250 }, (_, i) => serving(`p${i}`, `10.244.${Math.floor(i / 250)}.${i + 1}`));
  expect(slicesIn(service(), pods).map((s) => s.endpoints?.length)).toEqual([100, 100, 50]);
});

test("endpoints: a service without a selector or of type ExternalName has no slices", () => {
  expect(look(service({ selector: undefined }), [serving("a", "10.244.1.2")])).toEqual([]);
  expect(look(service({ type: "ExternalName", externalName: "a.example" }), [])).toEqual([]);
});

test("endpoints: publishNotReadyAddresses makes unready pods ready", () =>
  expect(
    slicesIn(service({ publishNotReadyAddresses: true }), [serving("a", "10.244.1.2", { ready: false })]).flatMap(
      summariesOf,
    ),
  ).toEqual(["10.244.1.2:8080 ready"]));

test("endpoints: the second decision is empty, also after changes of pods", () => {
  const lives = [
    [serving("a", "10.244.1.2")],
    [serving("a", "10.244.1.2"), serving("b", "10.244.1.3", { port: 9090 })],
    [],
  ];
  const s = service();
  let world: readonly ApiObject[] = [];
  const lookIn = (pods: readonly Pod[]) =>
    look(
      s,
      pods,
      world.filter((o): o is EndpointSlice => o.kind === "EndpointSlice"),
      world.find((o): o is Endpoints => o.kind === "Endpoints"),
    );
  for (const pods of lives) {
    world = carryOut(lookIn(pods), world);
    expect(summaryOf(lookIn(pods))).toBe("");
    expect(lookIn(pods)).toEqual([]);
  }
});

test("endpoints: Endpoints of a deleted service are deleted, and those of other writers kept", () => {
  const written = look(service(), [serving("a", "10.244.1.2")]).flatMap((a) =>
    a.do === "create" && a.draft.kind === "Endpoints" ? [asStored<Endpoints>(a.draft)] : [],
  );
  expect(look(undefined, [], [], written[0]).map((a) => a.do)).toEqual(["delete"]);
  const foreign = asStored<Endpoints>({ kind: "Endpoints", metadata: { name: "web", namespace: "default" } });
  expect(look(undefined, [], [], foreign)).toEqual([]);
});

const inZone = { metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "east" } } } as unknown as Node;
const zones = [{ name: "east" }];
test.each([
  [undefined, inZone, undefined],
  ["PreferClose", inZone, { forZones: zones }],
  ["PreferSameZone", inZone, { forZones: zones }],
  ["PreferSameZone", undefined, undefined],
  ["PreferSameNode", inZone, { forNodes: [{ name: "n1" }], forZones: zones }],
  ["PreferSameNode", undefined, { forNodes: [{ name: "n1" }] }],
] as const)("hints of an endpoint with traffic distribution %s", (trafficDistribution, node, hints) => {
  const pods = ["a", "b"].map((name, i) => {
    const p = serving(name, `10.244.1.${i}`, { ready: name === "a" });
    return { ...p, spec: { ...p.spec, nodeName: "n1" } };
  });
  const observed = {
    service: service({ trafficDistribution }),
    pods,
    nodeOf: () => node,
    slices: [],
    endpoints: undefined,
  };
  const [slice] = decide(observed).actions.flatMap((action) =>
    action.do === "create" && action.draft.kind === "EndpointSlice" ? [action.draft as EndpointSlice] : [],
  );
  expect(slice?.endpoints?.map((endpoint) => endpoint.hints)).toEqual([hints, undefined]);
});
