// Validation of new services.
import { expect, test } from "vitest";
import { port, serviceMessages } from "./service-cases.ts";

type Wrong = readonly [what: string, spec: object, ...messages: string[]];
const refused: readonly Wrong[] = [
  ["no port", { ports: [] }, "spec.ports: Required value"],
  [
    "two ports, one without a name",
    { ports: [{ ...port, name: "a" }, { port: 81 }] },
    "spec.ports[1].name: Required value",
  ],
  [
    "two ports with one name and number",
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
    "an invalid port",
    { ports: [{ port: 0 }] },
    "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
    "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
  ],
  [
    "an invalid target port name",
    { ports: [{ port: 80, targetPort: "-" }] },
    'spec.ports[0].targetPort: Invalid value: "-": must contain at least one letter (a-z)',
    'spec.ports[0].targetPort: Invalid value: "-": must not begin or end with a hyphen',
  ],
  [
    "an unknown protocol",
    { ports: [{ port: 80, protocol: "QUIC" }] },
    'spec.ports[0].protocol: Unsupported value: "QUIC": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    "an invalid application protocol",
    { ports: [{ port: 80, appProtocol: "example.com/" }] },
    "spec.ports[0].appProtocol: Invalid value: \"example.com/\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ],
  [
    "a node port of type ClusterIP",
    { ports: [{ port: 80, nodePort: 30_100 }] },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
  [
    "a node port outside the range",
    { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] },
    "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
  ],
  [
    "a duplicate node port",
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
    "an unknown type",
    { type: "Ghost" },
    'spec.type: Unsupported value: "Ghost": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    "spec.internalTrafficPolicy: Required value",
  ],
  [
    "type NodePort without a cluster IP",
    { type: "NodePort", clusterIP: "None" },
    "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
  ],
  [
    "type ExternalName without an external name",
    { type: "ExternalName", ports: undefined },
    "spec.externalName: Required value",
  ],
  [
    "an ExternalName with cluster IPs",
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
    "an unknown session affinity",
    { sessionAffinity: "Cookie" },
    'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"',
  ],
  [
    "a session affinity timeout above a day",
    { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
    "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400",
  ],
  [
    "an invalid cluster IP",
    { clusterIP: "10.96.0.300" },
    'spec.clusterIPs[0]: Invalid value: "10.96.0.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    "a cluster IP outside the range",
    { clusterIP: "10.97.0.1" },
    'spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided network does not match the current range',
  ],
  [
    "clusterIPs without clusterIP",
    { clusterIPs: ["10.96.0.9"] },
    'spec.clusterIPs: Invalid value: ["10.96.0.9"]: must be empty when `clusterIP` is not specified',
  ],
  [
    "clusterIPs that begin with another address",
    { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.8"] },
    'spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`',
  ],
  [
    "clusterIPs with None and an address",
    { clusterIP: "None", clusterIPs: ["None", "10.96.0.8"] },
    'spec.clusterIPs: Invalid value: ["None","10.96.0.8"]: \'None\' must be the first and only value',
  ],
  [
    "two cluster IPs of one family",
    { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "10.96.0.8"], ipFamilyPolicy: "PreferDualStack" },
    'spec.clusterIPs: Invalid value: ["10.96.0.9","10.96.0.8"]: may specify no more than one IP for each IP family',
  ],
  [
    "a cluster IP of another family than ipFamilies",
    { clusterIP: "10.96.0.9", ipFamilies: ["IPv6"] },
    'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ],
  [
    "an IP family that the cluster does not have",
    { ipFamilies: ["IPv6"] },
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ],
  [
    "a cluster IP of a family that the cluster does not have",
    { clusterIP: "fd00::1" },
    'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  ],
  [
    "an unknown IP family and a duplicate",
    { ipFamilies: ["IPv5", "IPv4", "IPv4"] },
    'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
    'spec.ipFamilies[2]: Duplicate value: "IPv4"',
  ],
  [
    "an unknown IP family policy",
    { ipFamilyPolicy: "TripleStack" },
    'spec.ipFamilyPolicy: Unsupported value: "TripleStack": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
  ],
  [
    "dual stack on a single-stack cluster",
    { ipFamilyPolicy: "RequireDualStack" },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  [
    "two IP families with SingleStack",
    { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4", "IPv6"] },
    "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
  ],
  [
    "invalid external IPs",
    { externalIPs: ["127.0.0.1", "1.2.3.04"] },
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    'spec.externalIPs[1]: Invalid value: "1.2.3.04": must not have leading 0s',
  ],
  [
    "load balancer fields of another type",
    { loadBalancerClass: "a", loadBalancerSourceRanges: ["10.0.0.0/8"], allocateLoadBalancerNodePorts: true },
    "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
    "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
  [
    "invalid source ranges",
    { type: "LoadBalancer", loadBalancerSourceRanges: [" 10.0.0.0/8 ", "10.0.0.0"] },
    'spec.LoadBalancerSourceRanges[1]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    "external traffic fields of type ClusterIP",
    { externalTrafficPolicy: "Local", healthCheckNodePort: 30_500 },
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    "spec.healthCheckNodePort: Invalid value: 30500: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ],
  [
    "unknown traffic policies",
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
    "a health check node port outside the range",
    { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 80 },
    "InternalError: Internal error occurred: failed to allocate requested HealthCheck NodePort 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
  ],
];
for (const [what, spec, ...expected] of refused)
  test(`a service with ${what} is refused`, () => expect(serviceMessages(spec)).toEqual(expected));

test("annotations of a service are validated against each other and its type", () => {
  const hints = "service.kubernetes.io/topology-aware-hints";
  const mode = "service.kubernetes.io/topology-mode";
  const ranges = "service.beta.kubernetes.io/load-balancer-source-ranges";
  expect(serviceMessages({}, undefined, { annotations: { [hints]: "Auto", [mode]: "None" } })).toEqual([
    `metadata.annotations[${mode}]: Invalid value: "None": must match annotations[${hints}] when both are specified`,
  ]);
  expect(serviceMessages({}, undefined, { annotations: { [ranges]: "10.0.0.0/8, x" } })).toEqual([
    `metadata.annotations[${ranges}]: Forbidden: may only be used when \`type\` is 'LoadBalancer'`,
    `metadata.annotations[${ranges}]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
  ]);
  expect(serviceMessages({}, undefined, { name: "1st" })).toEqual([]);
});
