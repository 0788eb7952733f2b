// User-created Endpoints and the slices that mirror them.
import { expect, test } from "vitest";
import type { Endpoints, EndpointSlice, Service } from "../../../api/generated/types.ts";
import { decide } from "../../../controllers/endpointslice/mirroring.ts";
import { ago, asStored, carryOut } from "./world.ts";

const service = (spec: object = {}): Service =>
  asStored<Service>({ kind: "Service", metadata: { name: "db", namespace: "default" }, spec });
const endpoints = (subsets: readonly object[], metadata: object = {}): Endpoints =>
  asStored<Endpoints>({
    kind: "Endpoints",
    metadata: { name: "db", namespace: "default", uid: "e1", ...metadata },
    subsets,
  });
const port = { name: "sql", port: 5432, protocol: "TCP" };
const two = [
  { addresses: [{ ip: "10.1.2.3" }], notReadyAddresses: [{ ip: "10.1.2.4", nodeName: "n" }], ports: [port] },
];

const mirrored = (of: Endpoints, by: Service | undefined, slices: readonly EndpointSlice[] = []) =>
  carryOut(decide({ endpoints: of, service: by, slices }).actions, slices) as readonly EndpointSlice[];
const summaryOf = ({ addressType, endpoints: all, ports }: EndpointSlice): string =>
  `${addressType} ${(all ?? []).map((e) => `${e.addresses[0]}${e.conditions?.ready ? "" : "?"}`).join(" ")} : ${(ports ?? []).map((p) => p.port)}`;

const table: readonly (readonly [what: string, of: Endpoints, by: Service | undefined, slices: readonly string[]])[] = [
  ["addresses, ready or not", endpoints(two), service(), ["IPv4 10.1.2.3 10.1.2.4? : 5432"]],
  [
    "one slice per subset",
    endpoints([...two, { addresses: [{ ip: "10.1.2.5" }], ports: [{ port: 1 }] }]),
    service(),
    ["IPv4 10.1.2.3 10.1.2.4? : 5432", "IPv4 10.1.2.5 : 1"],
  ],
  [
    "one slice per address family",
    endpoints([{ addresses: [{ ip: "10.1.2.3" }, { ip: "fd00::1" }] }]),
    service(),
    ["IPv4 10.1.2.3 : ", "IPv6 fd00::1 : "],
  ],
  ["no addresses", endpoints([]), service(), []],
  ["no service", endpoints(two), undefined, []],
  ["a service with a selector", endpoints(two), service({ selector: { app: "db" } }), []],
  [
    "Endpoints with the skip-mirror label",
    endpoints(two, { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }),
    service(),
    [],
  ],
  [
    "Endpoints of a leader election",
    endpoints(two, { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } }),
    service(),
    [],
  ],
  ["Endpoints being deleted", endpoints(two, { deletionTimestamp: ago(1) }), service(), []],
];
const stale = asStored<EndpointSlice>({
  kind: "EndpointSlice",
  metadata: { name: "db-old", namespace: "default" },
  addressType: "IPv4",
  endpoints: [],
});
for (const [what, of, by, slices] of table)
  test(`mirroring: ${what}, from any previous slices; the second decision is empty`, () => {
    for (const before of [[], [stale]]) {
      const after = mirrored(of, by, before);
      expect(after.map(summaryOf).toSorted()).toEqual(slices);
      expect(decide({ endpoints: of, service: by, slices: after }).actions).toEqual([]);
    }
  });

test("mirroring: a change updates the existing slice and its labels", () => {
  const [before] = mirrored(endpoints(two, { labels: { tier: "old" } }), service());
  const moved = endpoints([{ addresses: [{ ip: "10.9.9.9" }], ports: [port] }], { annotations: { note: "moved" } });
  const [after] = mirrored(moved, service(), [before!]);
  expect([after!.metadata.uid, summaryOf(after!)]).toEqual([before!.metadata.uid, "IPv4 10.9.9.9 : 5432"]);
  expect(after!.metadata.labels).toEqual({
    "kubernetes.io/service-name": "db",
    "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
  });
  expect(after!.metadata.annotations).toEqual({ note: "moved" });
});

test("mirroring: a change of address family replaces the slice", () => {
  const [before] = mirrored(endpoints(two), service());
  const moved = endpoints([{ addresses: [{ ip: "fd00::1" }] }]);
  expect(decide({ endpoints: moved, service: service(), slices: [before!] }).actions.map((a) => a.do)).toEqual([
    "delete",
  ]);
  expect(mirrored(moved, service()).map(summaryOf)).toEqual(["IPv6 fd00::1 : "]);
});

test("mirroring: at most a thousand addresses per subset", () => {
  const addresses = Array.from({ length: 1_001 }, (_, i) => ({ ip: `10.0.${i >> 8}.${i & 255}` }));
  expect(mirrored(endpoints([{ addresses }]), service())[0]!.endpoints).toHaveLength(1_000);
});
