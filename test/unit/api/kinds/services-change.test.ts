// Updates of services.
import { expect, test } from "vitest";
import { type Service, services } from "../../../../api/core/services.ts";
import { withAddresses } from "../../../../apiserver/admission/services.ts";
import { stored, messagesOf } from "./validation-cases.ts";
import { port, ranges, standing, serviceMessages, world, nothingAllocated } from "./service-cases.ts";

const kinds = {
  inside: standing({}),
  headless: standing({ clusterIP: "None", selector: { app: "a" } }),
  nodePort: standing({ type: "NodePort" }),
  balancer: standing({ type: "LoadBalancer", externalTrafficPolicy: "Local", loadBalancerClass: "a" }),
  name: standing({ type: "ExternalName", externalName: "a.example", ports: undefined }),
};
type Change = readonly [what: string, old: keyof typeof kinds, spec: object, ...messages: string[]];
const changed: readonly Change[] = [
  [
    "leaves out what the server gave",
    "balancer",
    { type: "LoadBalancer", externalTrafficPolicy: "Local", loadBalancerClass: "a" },
  ],
  ["becomes a name for another", "inside", { ...kinds.inside.spec, type: "ExternalName", externalName: "a.example" }],
  ["becomes one with an address", "name", { type: "ClusterIP" }],
  [
    "takes another address",
    "inside",
    { clusterIP: "10.96.0.77" },
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.77"]: may not change once set',
  ],
  [
    "gives its address up",
    "inside",
    { clusterIP: "None" },
    'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
  ],
  [
    "takes an address after all",
    "headless",
    { clusterIP: "10.96.0.77", selector: { app: "a" } },
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.77"]: may not change once set',
  ],
  [
    "goes to another balancer",
    "balancer",
    { ...kinds.balancer.spec, loadBalancerClass: "b" },
    'spec.loadBalancerClass: Invalid value: "b": may not change once set',
  ],
  [
    "goes to no balancer in particular",
    "balancer",
    { type: "LoadBalancer", externalTrafficPolicy: "Local" },
    "spec.loadBalancerClass: Invalid value: null: may not change once set",
  ],
  [
    "asks for health at another port",
    "balancer",
    { ...kinds.balancer.spec, healthCheckNodePort: 30_001 },
    "spec.healthCheckNodePort: Forbidden: field is immutable",
  ],
  ["stops to balance", "balancer", { ...kinds.balancer.spec, type: "ClusterIP" }],
  [
    "stops to balance and changes its mind about a field of it",
    "balancer",
    { ...kinds.balancer.spec, type: "ClusterIP", loadBalancerClass: "b" },
    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
  [
    "leaves the nodes with a new port",
    "nodePort",
    { type: "ClusterIP", ports: [{ port: 80, nodePort: 31_000 }] },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
];
for (const [what, old, spec, ...expected] of changed)
  test(`a service that ${what} is ${expected.length === 0 ? "taken" : "refused"}`, () =>
    expect(serviceMessages(spec, kinds[old])).toEqual(expected));

/** The spec of the service that stands after an update. */
const after = (old: Service, spec: object): Service["spec"] =>
  withAddresses(
    { ...stored(services, { spec: { ports: [port], ...spec } }), status: old.status! },
    old,
    nothingAllocated,
    ranges,
    world,
  ).spec;

test("what the server gave stays with the service, and goes with its type", () => {
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

test("a port keeps its port of the nodes under its name, unless another takes it", () => {
  const two = standing({
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

test("one number over two protocols shares a port of the nodes, and a balancer may do without", () => {
  const dns = [
    { name: "udp", port: 53, protocol: "UDP" },
    { name: "tcp", port: 53 },
  ];
  const shared = standing({ type: "NodePort", ports: dns }).spec.ports!.map((p) => p.nodePort);
  expect(new Set(shared).size).toBe(1);
  const without = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
  const named = [...dns.slice(0, 1), { ...dns[1], nodePort: 30_053 }];
  expect(standing({ ...without, ports: named }).spec.ports!.map((p) => p.nodePort)).toEqual([undefined, 30_053]);
});

test("who has neither address nor selector may have endpoints of every family", () => {
  const { ipFamilies, ipFamilyPolicy } = standing({ clusterIP: "None" }).spec;
  expect([ipFamilies, ipFamilyPolicy]).toEqual([["IPv4", "IPv6"], "RequireDualStack"]);
  expect(standing({ clusterIP: "None", ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] }).spec.ipFamilies).toEqual([
    "IPv6",
  ]);
  expect(kinds.headless.spec.ipFamilies).toEqual(["IPv4"]);
});

test("ports of the nodes that others hold, also for health, are not given again", () => {
  const { healthCheckNodePort } = kinds.balancer.spec;
  const asking = { type: "NodePort", ports: [{ port: 80, nodePort: healthCheckNodePort }] };
  expect(() => standing(asking, [kinds.balancer])).toThrow(/provided port is already allocated/);
});

test("a writer is told what is ignored and what is going out of use", () => {
  const warned = (spec: object) => services.warnings(standing(spec));
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

test("a balancer's addresses are told of services that balance, and how packets come from them", () => {
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
