// Updates of services.
import { expect, test } from "vitest";
import { type Service, services } from "../../../../api/core/services.ts";
import { withAddresses } from "../../../../apiserver/admission/services.ts";
import { stored, messagesOf } from "./validation-cases.ts";
import { nothingAllocated, port, ranges, storedService, serviceMessages, world } from "./service-cases.ts";

const kinds = {
  inside: storedService({}),
  headless: storedService({ clusterIP: "None", selector: { app: "a" } }),
  nodePort: storedService({ type: "NodePort" }),
  balancer: storedService({ type: "LoadBalancer", externalTrafficPolicy: "Local", loadBalancerClass: "a" }),
  name: storedService({ type: "ExternalName", externalName: "a.example", ports: undefined }),
};
type Change = readonly [what: string, old: keyof typeof kinds, spec: object, ...messages: string[]];
const changed: readonly Change[] = [
  [
    "omits allocated fields",
    "balancer",
    { type: "LoadBalancer", externalTrafficPolicy: "Local", loadBalancerClass: "a" },
  ],
  ["becomes an ExternalName", "inside", { ...kinds.inside.spec, type: "ExternalName", externalName: "a.example" }],
  ["becomes a ClusterIP", "name", { type: "ClusterIP" }],
  [
    "changes its cluster IP",
    "inside",
    { clusterIP: "10.96.0.77" },
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.77"]: may not change once set',
  ],
  [
    "becomes headless",
    "inside",
    { clusterIP: "None" },
    'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
  ],
  [
    "is headless and sets a cluster IP",
    "headless",
    { clusterIP: "10.96.0.77", selector: { app: "a" } },
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.77"]: may not change once set',
  ],
  [
    "changes its load balancer class",
    "balancer",
    { ...kinds.balancer.spec, loadBalancerClass: "b" },
    'spec.loadBalancerClass: Invalid value: "b": may not change once set',
  ],
  [
    "removes its load balancer class",
    "balancer",
    { type: "LoadBalancer", externalTrafficPolicy: "Local" },
    "spec.loadBalancerClass: Invalid value: null: may not change once set",
  ],
  [
    "changes its health check node port",
    "balancer",
    { ...kinds.balancer.spec, healthCheckNodePort: 30_001 },
    "spec.healthCheckNodePort: Forbidden: field is immutable",
  ],
  ["changes from LoadBalancer to ClusterIP", "balancer", { ...kinds.balancer.spec, type: "ClusterIP" }],
  [
    "changes from LoadBalancer to ClusterIP with another class",
    "balancer",
    { ...kinds.balancer.spec, type: "ClusterIP", loadBalancerClass: "b" },
    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
  [
    "changes from NodePort to ClusterIP with another node port",
    "nodePort",
    { type: "ClusterIP", ports: [{ port: 80, nodePort: 31_000 }] },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
];
for (const [what, old, spec, ...expected] of changed)
  test(`a service that ${what} is ${expected.length === 0 ? "accepted" : "refused"}`, () =>
    expect(serviceMessages(spec, kinds[old])).toEqual(expected));

/** The spec of the stored service after an update. */
const after = (old: Service, spec: object): Service["spec"] =>
  withAddresses(
    { ...stored(services, { spec: { ports: [port], ...spec } }), status: old.status! },
    old,
    nothingAllocated,
    ranges,
    world,
  ).spec;

test("allocated fields are kept on update, and dropped when the type changes", () => {
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, ports, healthCheckNodePort } = kinds.balancer.spec;
  expect([ipFamilies, ipFamilyPolicy, clusterIPs]).toEqual([["IPv4"], "SingleStack", [clusterIP]]);
  expect(after(kinds.balancer, { type: "LoadBalancer", externalTrafficPolicy: "Local" })).toMatchObject({
    clusterIP,
    clusterIPs,
    ports,
    healthCheckNodePort,
    ipFamilies,
    ipFamilyPolicy,
  });
  expect(after(kinds.balancer, { ...kinds.balancer.spec, type: "ClusterIP" })).toEqual(kinds.inside.spec);
  expect(after(kinds.inside, { ...kinds.inside.spec, type: "ExternalName", externalName: "a" })).toEqual({
    type: "ExternalName",
    externalName: "a",
    internalTrafficPolicy: "Cluster",
    ports: kinds.inside.spec.ports,
    sessionAffinity: "None",
  });
  const balanced = { ...kinds.balancer, status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } };
  expect(
    withAddresses({ ...kinds.inside, status: balanced.status }, balanced, nothingAllocated, ranges, world).status,
  ).toEqual({
    loadBalancer: {},
  });
});

test("a port keeps its node port by name, unless another port requests it", () => {
  const two = storedService({
    type: "NodePort",
    ports: [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ],
  });
  const [first, second] = two.spec.ports!.map((p) => p.nodePort!);
  const ports = (spec: readonly object[]) =>
    after(two, { type: "NodePort", ports: spec }).ports!.map((p) => p.nodePort);
  expect(
    ports([
      { name: "b", port: 8081 },
      { name: "a", port: 8080 },
    ]),
  ).toEqual([second, first]);
  const moved = ports([
    { name: "a", port: 80 },
    { name: "b", port: 81, nodePort: first },
  ]);
  expect(moved[1]).toBe(first);
  expect([first, second]).not.toContain(moved[0]);
});

test("TCP and UDP of one port share a node port, and a load balancer can omit node ports", () => {
  const dns = [
    { name: "udp", port: 53, protocol: "UDP" },
    { name: "tcp", port: 53 },
  ];
  const shared = storedService({ type: "NodePort", ports: dns }).spec.ports!.map((p) => p.nodePort);
  expect(new Set(shared).size).toBe(1);
  const without = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
  const named = [...dns.slice(0, 1), { ...dns[1], nodePort: 30_053 }];
  expect(storedService({ ...without, ports: named }).spec.ports!.map((p) => p.nodePort)).toEqual([undefined, 30_053]);
});

test("a headless service without a selector has both IP families", () => {
  const { ipFamilies, ipFamilyPolicy } = storedService({ clusterIP: "None" }).spec;
  expect([ipFamilies, ipFamilyPolicy]).toEqual([["IPv4", "IPv6"], "RequireDualStack"]);
  expect(
    storedService({ clusterIP: "None", ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] }).spec.ipFamilies,
  ).toEqual(["IPv6"]);
  expect(kinds.headless.spec.ipFamilies).toEqual(["IPv4"]);
});

test("allocated node ports and health check node ports are not allocated again", () => {
  const { healthCheckNodePort } = kinds.balancer.spec;
  const asking = { type: "NodePort", ports: [{ port: 80, nodePort: healthCheckNodePort }] };
  expect(() => storedService(asking, [kinds.balancer])).toThrow(/provided port is already allocated/);
});

test("warnings for ignored and deprecated fields", () => {
  const warned = (spec: object) => services.warnings(storedService(spec));
  expect(warned({ clusterIP: "None", loadBalancerIP: "192.0.2.1", sessionAffinity: "ClientIP" })).toEqual([
    "spec.loadBalancerIP is ignored for headless services",
    "spec.SessionAffinity is ignored for headless services",
  ]);
  expect(warned({ type: "ExternalName", externalName: "a", externalIPs: ["2001:DB8::1"] })).toEqual([
    "spec.externalIPs is deprecated",
    'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    'spec.externalIPs is ignored when spec.type is "ExternalName"',
  ]);
  expect(warned({ externalName: "a", trafficDistribution: "PreferClose" })).toEqual([
    'spec.externalName is ignored when spec.type is not "ExternalName"',
    'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  ]);
});

test("load balancer ingress requires type LoadBalancer and a valid ipMode", () => {
  const status = (of: Service, ingress: object[]) =>
    messagesOf(services.validateStatus({ ...of, status: { loadBalancer: { ingress } } } as Service, of));
  expect(status(kinds.inside, [{ ip: "192.0.2.1", ipMode: "VIP" }])).toEqual([
    "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
  ]);
  expect(
    status(kinds.balancer, [
      { ip: "192.0.2.1" },
      { hostname: "a.example", ipMode: "VIP" },
      { ip: "192.0.2.1", ipMode: "Post" },
      { ip: "x", ipMode: "Proxy" },
      { hostname: "192.0.2.1" },
    ]),
  ).toEqual([
    "status.loadBalancer.ingress[0].ipMode: Required value: must be specified when `ip` is set",
    "status.loadBalancer.ingress[1].ipMode: Forbidden: may not be specified when `ip` is not set",
    'status.loadBalancer.ingress[2].ipMode: Unsupported value: "Post": supported values: "Proxy", "VIP"',
    'status.loadBalancer.ingress[3].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[4].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
  ]);
  expect(services.statusDefaults!({ loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } })).toEqual({
    loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] },
  });
});
