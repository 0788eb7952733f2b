// What the proxy's rules do with packets to one service, read back from the rules of a node.
import { expect, test } from "vitest";
import type { EndpointSlice, Service } from "../../../api/generated/types.ts";
import { rulesOf } from "../../../network/proxy/rules.ts";
import { serviceRules } from "../../../network/proxy/service-rules.ts";

const service = (name: string, clusterIP: string, more: object = {}): Service =>
  ({
    metadata: { name, namespace: "default", uid: name },
    spec: { clusterIP, ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }], ...more },
  }) as unknown as Service;
const slice = (...addresses: readonly string[]): EndpointSlice =>
  ({
    addressType: "IPv4",
    metadata: {},
    ports: [{ port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  }) as unknown as EndpointSlice;

const targetsOf = (web: Service, endpoints: readonly string[]) => {
  const other = service("other", "10.96.0.9", { ports: [{ port: 80, protocol: "TCP" }] });
  const slicesOf = (s: Service): readonly EndpointSlice[] => [s === web ? slice(...endpoints) : slice("10.244.9.9")];
  const rules = rulesOf({ nodeName: "n1", zone: undefined, services: [web, other], slicesOf, pods: [] });
  return serviceRules(web, rules).map(({ to, targets, rules: lines }) => [to, targets, lines.length > 0]);
};

test.each<[what: string, more: object]>([
  ["balanced", {}],
  ["with session affinity", { sessionAffinity: "ClientIP" }],
])("%s: the address and the node port lead to the ready endpoints of the service", (_, more) => {
  const targets = ["10.244.1.2:8080", "10.244.2.2:8080"];
  expect(targetsOf(service("web", "10.96.0.1", more), ["10.244.2.2", "10.244.1.2"])).toEqual([
    ["10.96.0.1:80/TCP", targets, true],
    ["*:30080/TCP", targets, true],
  ]);
});
test("one endpoint", () => {
  expect(targetsOf(service("web", "10.96.0.1"), ["10.244.1.2"])[0]).toEqual([
    "10.96.0.1:80/TCP",
    ["10.244.1.2:8080"],
    true,
  ]);
});
test("without endpoints there is no rule, and packets are rejected", () => {
  expect(targetsOf(service("web", "10.96.0.1"), [])).toEqual([
    ["10.96.0.1:80/TCP", [], false],
    ["*:30080/TCP", [], false],
  ]);
});
