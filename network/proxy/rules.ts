// Rules of the service proxy on one node, as data: which address and port lead to which pods. Pure.
import type { Endpoint, EndpointSlice, Pod, Service, ServicePort } from "../../api/generated/types.ts";
import { hashName } from "../../api/hash.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { type Location, nearest } from "./topology.ts";

/** Address and port a UDP packet may be sent to, `*` for any address: `address:port` of the pods that may serve it. */
export type UdpBackends = ReadonlyMap<string, ReadonlySet<string>>;

/** The named objects of one nftables table, so that two rulesets can be compared object by object. */
export interface Ruleset {
  /** Chain name to its rules. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Set name to its definition. */
  readonly sets: ReadonlyMap<string, string>;
  /** `address . protocol . port` to a verdict. */
  readonly services: ReadonlyMap<string, string>;
  /** `protocol . port` to a verdict. */
  readonly nodePorts: ReadonlyMap<string, string>;
  /** Host ports of any address: `protocol . port` to `address . port`. */
  readonly hostPorts: ReadonlyMap<string, string>;
  /** Host ports of one address: `address . protocol . port` to `address . port`. */
  readonly hostAddressPorts: ReadonlyMap<string, string>;
  /** `address . address` of local pods that may reach themselves through a service. */
  readonly hairpins: ReadonlySet<string>;
  readonly udpBackends: UdpBackends;
}

/** What the rules of a node follow from, beside where the node is. */
export interface Observed extends Location {
  readonly services: readonly Service[];
  readonly slicesOf: (service: Service) => readonly EndpointSlice[];
  /** Pods of this node. */
  readonly pods: readonly Pod[];
}

/** Labels of services and slices that another implementation, or none, serves. */
const foreignLabels = ["service.kubernetes.io/headless", "service.kubernetes.io/service-proxy-name"];
const isProxied = ({ metadata: { labels = {} } }: Service | EndpointSlice): boolean =>
  !foreignLabels.some((label) => label in labels);

/** The services that the proxy serves, and each one's slices. */
export const proxiedServices = ({ services }: Pick<Observed, "services">): readonly Service[] =>
  services.filter(
    (s) => isProxied(s) && s.spec.clusterIP && s.spec.clusterIP !== "None" && s.spec.type !== "ExternalName",
  );
export const proxiedSlices = ({ slicesOf }: Pick<Observed, "slicesOf">, s: Service): readonly EndpointSlice[] =>
  slicesOf(s).filter((slice) => isProxied(slice) && slice.addressType === "IPv4");

/** A pod's address and port that packets may be sent to. */
interface Target {
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly port: number;
  readonly local: boolean;
}

/** Marks packets whose replies must return through this node. */
const masquerade = "meta mark set meta mark or 0x4000";

/** Ready endpoints; where there are none, terminating ones that still serve (KEP-1669). */
function usable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((e) => e.conditions?.ready !== false);
  return ready.length > 0
    ? ready
    : endpoints.filter((e) => e.conditions?.serving === true && e.conditions.terminating === true);
}

interface Candidate {
  readonly endpoint: Endpoint;
  readonly port: number;
}

/** Every endpoint of a service's port, whatever its conditions. */
function candidatesOf(slices: readonly EndpointSlice[], port: ServicePort): readonly Candidate[] {
  return slices.flatMap((slice) => {
    const match = slice.ports?.find(
      (p) => (p.name ?? "") === (port.name ?? "") && (p.protocol ?? "TCP") === (port.protocol ?? "TCP"),
    );
    if (match?.port === undefined) return [];
    return (slice.endpoints ?? []).map((endpoint) => ({ endpoint, port: match.port! }));
  });
}

function targetsOf(candidates: readonly Candidate[], nodeName: string): readonly Target[] {
  const chosen = new Set(usable(candidates.map((c) => c.endpoint)));
  return candidates
    .filter((c) => chosen.has(c.endpoint))
    .map(({ endpoint, port }) => ({
      ...{ endpoint, address: endpoint.addresses[0]!, port, local: endpoint.nodeName === nodeName },
    }))
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

/** A ruleset under construction. */
const emptyDraft = () => ({
  chains: new Map<string, readonly string[]>(),
  sets: new Map<string, string>(),
  services: new Map<string, string>(),
  nodePorts: new Map<string, string>(),
  hostPorts: new Map<string, string>(),
  hostAddressPorts: new Map<string, string>(),
  hairpins: new Set<string>(),
  udpBackends: new Map<string, Set<string>>(),
});
type Draft = ReturnType<typeof emptyDraft>;

const dnat = (protocol: string, t: Target): string => `meta l4proto ${protocol} dnat to ${t.address}:${t.port}`;

function balanced(protocol: string, targets: readonly Target[]): string {
  if (targets.length === 1) return dnat(protocol, targets[0]!);
  const choices = targets.map((t, i) => `${i} : ${t.address} . ${t.port}`).join(", ");
  return `meta l4proto ${protocol} dnat ip addr . port to numgen random mod ${targets.length} map { ${choices} }`;
}

/** Session affinity: a client keeps its target until it was silent for `seconds`; a new client gets any. */
function sticky(draft: Draft, name: string, protocol: string, targets: readonly Target[], seconds: number) {
  const chosen = targets.map((t) => {
    const id = hashName(`${name}/${t.address}:${t.port}/${seconds}`, 10);
    draft.sets.set(`aff_${id}`, `type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s;`);
    draft.chains.set(`ep_${id}`, [`update @aff_${id} { ip saddr }`, dnat(protocol, t)]);
    return id;
  });
  const any = chosen.map((id, i) => `${i} : goto ep_${id}`).join(", ");
  return [
    ...chosen.map((id) => `ip saddr @aff_${id} goto ep_${id}`),
    `numgen random mod ${chosen.length} vmap { ${any} }`,
  ];
}

/** Adds a chain that sends packets to these targets; undefined when there are none. */
function chainFor(
  draft: Draft,
  name: string,
  service: Service,
  protocol: string,
  targets: readonly Target[],
): string | undefined {
  if (targets.length === 0) return undefined;
  const { sessionAffinity, sessionAffinityConfig: { clientIP: { timeoutSeconds = 10_800 } = {} } = {} } = service.spec;
  const rules =
    sessionAffinity === "ClientIP"
      ? sticky(draft, name, protocol, targets, timeoutSeconds)
      : [balanced(protocol, targets)];
  draft.chains.set(name, rules);
  return name;
}

interface Entry {
  readonly id: string;
  readonly protocol: string;
  /** Undefined when no pod may serve the packet. */
  readonly chain: string | undefined;
  /** `externalTrafficPolicy: Local`: packets stay on the node and keep their source address. */
  readonly localOnly: boolean;
}

/** External packets are masqueraded unless they stay on the node that they entered. */
function addNodePort(draft: Draft, nodePort: number, { id, protocol, chain, localOnly }: Entry): void {
  const rules = chain === undefined ? [] : [...(localOnly ? [] : [masquerade]), `goto ${chain}`];
  // Without a local pod the packet is dropped, so that a load balancer tries another node.
  draft.chains.set(`np_${id}`, rules.length > 0 ? rules : ["drop"]);
  draft.nodePorts.set(`${protocol} . ${nodePort}`, `goto np_${id}`);
}

function addUdpBackends(draft: Draft, frontends: readonly string[], backends: readonly string[]): void {
  if (backends.length === 0) return;
  for (const frontend of frontends)
    draft.udpBackends.set(frontend, new Set([...(draft.udpBackends.get(frontend) ?? []), ...backends]));
}

/** Addresses that reach the service within the cluster. */
const addressesOf = ({ spec }: Service): readonly string[] => [spec.clusterIP!, ...(spec.externalIPs ?? [])];

/** Serving endpoints keep their flows, independent of traffic policies. */
function addServiceFlows(draft: Draft, service: Service, port: ServicePort, candidates: readonly Candidate[]): void {
  if (port.protocol !== "UDP") return;
  const serving = candidates.filter(({ endpoint: { conditions: c } }) => (c?.serving ?? c?.ready) !== false);
  const frontends = addressesOf(service).map((address) => `${address}:${port.port}`);
  addUdpBackends(
    draft,
    [...frontends, ...(port.nodePort ? [`*:${port.nodePort}`] : [])],
    serving.map((c) => `${c.endpoint.addresses[0]}:${c.port}`),
  );
}

function addPort(draft: Draft, service: Service, port: ServicePort, observed: Observed): void {
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const id = hashName(`${service.metadata.namespace}/${service.metadata.name}/${port.name ?? ""}/${protocol}`, 10);
  const candidates = candidatesOf(proxiedSlices(observed, service), port);
  const all = targetsOf(candidates, observed.nodeName);
  const local = all.filter((t) => t.local);
  addServiceFlows(draft, service, port, candidates);
  for (const t of local) draft.hairpins.add(`${t.address} . ${t.address}`);
  const isInternalLocal = service.spec.internalTrafficPolicy === "Local";
  const isExternalLocal = service.spec.externalTrafficPolicy === "Local";
  const clusterChain =
    isInternalLocal && isExternalLocal
      ? undefined
      : chainFor(draft, `svc_${id}`, service, protocol, nearest(all, observed));
  const localChain =
    isInternalLocal || isExternalLocal ? chainFor(draft, `loc_${id}`, service, protocol, local) : undefined;
  const internal = isInternalLocal ? localChain : clusterChain;
  if (internal !== undefined)
    for (const a of addressesOf(service)) draft.services.set(`${a} . ${protocol} . ${port.port}`, `goto ${internal}`);
  const chain = isExternalLocal ? localChain : clusterChain;
  if (all.length > 0 && port.nodePort)
    addNodePort(draft, port.nodePort, { id, protocol, chain, localOnly: isExternalLocal });
}

function addHostPorts(draft: Draft, pod: Pod): void {
  const ip = pod.status?.podIP;
  if (!ip || pod.spec.hostNetwork === true || isTerminal(pod)) return;
  for (const { hostPort, hostIP, containerPort, protocol = "TCP" } of pod.spec.containers.flatMap(
    (c) => c.ports ?? [],
  )) {
    if (!hostPort) continue;
    const key = `${protocol.toLowerCase()} . ${hostPort}`;
    const address = !hostIP || hostIP === "0.0.0.0" ? undefined : hostIP;
    if (address === undefined) draft.hostPorts.set(key, `${ip} . ${containerPort}`);
    else draft.hostAddressPorts.set(`${address} . ${key}`, `${ip} . ${containerPort}`);
    if (protocol === "UDP") addUdpBackends(draft, [`${address ?? "*"}:${hostPort}`], [`${ip}:${containerPort}`]);
    draft.hairpins.add(`${ip} . ${ip}`);
  }
}

/** The rules that follow from the services, their endpoints and this node's pods. */
export function rulesOf(observed: Observed): Ruleset {
  const draft = emptyDraft();
  for (const service of proxiedServices(observed))
    for (const port of service.spec.ports ?? []) addPort(draft, service, port, observed);
  for (const pod of observed.pods) addHostPorts(draft, pod);
  return draft;
}
