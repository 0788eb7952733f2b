// Services: what may be said in one, what the server gives it, and what of it stays.
import { expect, test } from "vitest";
import { ApiError } from "../../../../api/errors.ts";
import { type Service, services } from "../../../../api/kinds/services.ts";
import { type AddressRanges, withAddresses } from "../../../../apiserver/registry/addresses.ts";
import { born, said } from "./refused.ts";

const ranges: AddressRanges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
const world = { random: { next: () => 0 } };
const port = { port: 80 };

/** A service as it stands once it is stored. */
function standing(spec: object, others: readonly Service[] = [], metadata: object = {}): Service {
  return withAddresses(
    born(services, { metadata, spec: { ports: [port], ...spec } }),
    undefined,
    others,
    ranges,
    world,
  );
}

/** What is said of a new service, or of one in the place of an old one. */
function told(spec: object, old?: Service, metadata: object = {}): readonly string[] {
  const given = {
    ...born(services, { metadata, spec: { ports: [port], ...spec } }),
    ...(old && { status: old.status }),
  };
  try {
    return said(services.validate(withAddresses(given, old, [], ranges, world), old));
  } catch (e) {
    if (!(e instanceof ApiError)) throw e;
    return (e.details?.causes ?? [{ field: e.reason, message: e.message }]).map((c) => `${c.field}: ${c.message}`);
  }
}

type Wrong = readonly [what: string, spec: object, ...said: string[]];
const refused: readonly Wrong[] = [
  ["no port", { ports: [] }, "spec.ports: Required value"],
  [
    "two ports of which one has no name",
    { ports: [{ ...port, name: "a" }, { port: 81 }] },
    "spec.ports[1].name: Required value",
  ],
  [
    "two ports of one name and one number",
    {
      ports: [
        { ...port, name: "a" },
        { ...port, name: "a" },
      ],
    },
    'spec.ports[1].name: Duplicate value: "a"',
    'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
  ],
  [
    "a port that is none",
    { ports: [{ port: 0 }] },
    "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
    "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
  ],
  [
    "a port that leads to no name",
    { ports: [{ port: 80, targetPort: "-" }] },
    'spec.ports[0].targetPort: Invalid value: "-": must contain at least one letter (a-z)',
    'spec.ports[0].targetPort: Invalid value: "-": must not begin or end with a hyphen',
  ],
  [
    "a protocol of its own",
    { ports: [{ port: 80, protocol: "QUIC" }] },
    'spec.ports[0].protocol: Unsupported value: "QUIC": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    "an application's protocol that is no name",
    { ports: [{ port: 80, appProtocol: "example.com/" }] },
    "spec.ports[0].appProtocol: Invalid value: \"example.com/\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ],
  [
    "ports of the nodes inside the cluster",
    { ports: [{ port: 80, nodePort: 30_100 }] },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
  [
    "a port outside the range",
    { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] },
    "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
  ],
  [
    "one port of the nodes for two",
    {
      type: "NodePort",
      ports: [
        { name: "a", port: 80, nodePort: 30_100 },
        { name: "b", port: 81, protocol: "UDP", nodePort: 30_100 },
      ],
    },
    "spec.ports[1].nodePort: Invalid value: 30100: provided port is already allocated",
  ],
  [
    "a type of its own",
    { type: "Ghost" },
    'spec.type: Unsupported value: "Ghost": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    "spec.internalTrafficPolicy: Required value",
  ],
  [
    "no address, and ports of the nodes",
    { type: "NodePort", clusterIP: "None" },
    "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
  ],
  ["no name to lead to", { type: "ExternalName", ports: undefined }, "spec.externalName: Required value"],
  [
    "an address beside a name",
    {
      type: "ExternalName",
      externalName: "a.example.",
      clusterIP: "10.96.0.9",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    },
    "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
    "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
    "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
  ],
  [
    "affinity to something",
    { sessionAffinity: "Cookie" },
    'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"',
  ],
  [
    "affinity for more than a day",
    { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
    "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400",
  ],
  [
    "an address that is none",
    { clusterIP: "10.96.0.300" },
    'spec.clusterIPs[0]: Invalid value: "10.96.0.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    "an address outside the range",
    { clusterIP: "10.97.0.1" },
    'spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range',
  ],
  [
    "a list of addresses without the one",
    { clusterIPs: ["10.96.0.9"] },
    'spec.clusterIPs: Invalid value: ["10.96.0.9"]: must be empty when `clusterIP` is not specified',
  ],
  [
    "a list that begins with another address",
    { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.8"] },
    'spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`',
  ],
  [
    "no address and one",
    { clusterIP: "None", clusterIPs: ["None", "10.96.0.8"] },
    'spec.clusterIPs: Invalid value: ["None","10.96.0.8"]: \'None\' must be the first and only value',
  ],
  [
    "two addresses of one family",
    { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "10.96.0.8"], ipFamilyPolicy: "PreferDualStack" },
    'spec.clusterIPs: Invalid value: ["10.96.0.9","10.96.0.8"]: may specify no more than one IP for each IP family',
  ],
  [
    "an address of another family than is said",
    { clusterIP: "10.96.0.9", ipFamilies: ["IPv6"] },
    'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ],
  [
    "a family the cluster has not",
    { ipFamilies: ["IPv6"] },
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ],
  [
    "an address of a family the cluster has not",
    { clusterIP: "fd00::1" },
    'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  ],
  [
    "a family nobody knows, and one twice",
    { ipFamilies: ["IPv5", "IPv4", "IPv4"] },
    'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
    'spec.ipFamilies[2]: Duplicate value: "IPv4"',
  ],
  [
    "a policy nobody knows",
    { ipFamilyPolicy: "TripleStack" },
    'spec.ipFamilyPolicy: Unsupported value: "TripleStack": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
  ],
  [
    "two families where there is one",
    { ipFamilyPolicy: "RequireDualStack" },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  [
    "two families for one",
    { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4", "IPv6"] },
    "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
  ],
  [
    "external addresses that lead nowhere",
    { externalIPs: ["127.0.0.1", "1.2.3.04"] },
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    'spec.externalIPs[1]: Invalid value: "1.2.3.04": must not have leading 0s',
  ],
  [
    "a balancer's words elsewhere",
    { loadBalancerClass: "a", loadBalancerSourceRanges: ["10.0.0.0/8"], allocateLoadBalancerNodePorts: true },
    "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
    "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
  [
    "a balancer that lets nobody in",
    { type: "LoadBalancer", loadBalancerSourceRanges: [" 10.0.0.0/8 ", "10.0.0.0"] },
    'spec.LoadBalancerSourceRanges[1]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    "traffic from outside where none comes",
    { externalTrafficPolicy: "Local", healthCheckNodePort: 30_500 },
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    "spec.healthCheckNodePort: Invalid value: 30500: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ],
  [
    "traffic nobody knows",
    {
      externalIPs: ["1.2.3.4"],
      externalTrafficPolicy: "Near",
      internalTrafficPolicy: "Far",
      trafficDistribution: "Best",
    },
    'spec.externalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
    'spec.internalTrafficPolicy: Unsupported value: "Far": supported values: "Cluster", "Local"',
    'spec.trafficDistribution: Unsupported value: "Best": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
  ],
  [
    "a health port outside the range",
    { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 80 },
    "InternalError: Internal error occurred: failed to allocate requested HealthCheck NodePort 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
  ],
];
for (const [what, spec, ...expected] of refused)
  test(`a service with ${what} is refused`, () => expect(told(spec)).toEqual(expected));

test("a service's annotations agree with each other, and with its type", () => {
  const hints = "service.kubernetes.io/topology-aware-hints";
  const mode = "service.kubernetes.io/topology-mode";
  const ranges = "service.beta.kubernetes.io/load-balancer-source-ranges";
  expect(told({}, undefined, { annotations: { [hints]: "Auto", [mode]: "None" } })).toEqual([
    `metadata.annotations[${mode}]: Invalid value: "None": must match annotations[${hints}] when both are specified`,
  ]);
  expect(told({}, undefined, { annotations: { [ranges]: "10.0.0.0/8, x" } })).toEqual([
    `metadata.annotations[${ranges}]: Forbidden: may only be used when \`type\` is 'LoadBalancer'`,
    `metadata.annotations[${ranges}]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
  ]);
  expect(told({}, undefined, { name: "1st" })).toEqual([]);
});

const kinds = {
  inside: standing({}),
  headless: standing({ clusterIP: "None", selector: { app: "a" } }),
  nodePort: standing({ type: "NodePort" }),
  balancer: standing({ type: "LoadBalancer", externalTrafficPolicy: "Local", loadBalancerClass: "a" }),
  name: standing({ type: "ExternalName", externalName: "a.example", ports: undefined }),
};
type Change = readonly [what: string, old: keyof typeof kinds, spec: object, ...said: string[]];
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
    expect(told(spec, kinds[old])).toEqual(expected));

/** The spec of the service that stands after an update. */
const after = (old: Service, spec: object): Service["spec"] =>
  withAddresses(
    { ...born(services, { spec: { ports: [port], ...spec } }), status: old.status! },
    old,
    [],
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
  expect(withAddresses({ ...kinds.inside, status: balanced.status }, balanced, [], ranges, world).status).toEqual({
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
    said(services.validateStatus({ ...of, status: { loadBalancer: { ingress } } } as Service, of));
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
