// What should happen to a packet for a service, as data: which address leads to which pods, on this node. Pure.
import type { Endpoint, EndpointSlice, Pod, Service, ServicePort } from "../../api/generated/types.ts";
import { hashName } from "../../api/hash.ts";
import { isTerminal } from "../../api/core/pod/status.ts";

/**
 * Named parts of one nftables table, so that two of them can be compared part by part.
 * `chains`: rules by chain. `sets`: set name to its definition. Maps: element to what it leads to.
 */
export interface Ruleset {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly sets: ReadonlyMap<string, string>;
  /** `address . protocol . port` to a verdict. */
  readonly services: ReadonlyMap<string, string>;
  /** `protocol . port` to a verdict. */
  readonly nodePorts: ReadonlyMap<string, string>;
  /** `protocol . port` to `address . port`. */
  readonly hostPorts: ReadonlyMap<string, string>;
  /** `address . address` of local pods that may meet themselves behind a service. */
  readonly hairpins: ReadonlySet<string>;
}

export interface Observed {
  readonly nodeName: string;
  readonly services: readonly Service[];
  /** Slices by `namespace/service`. */
  readonly slicesOf: (service: Service) => readonly EndpointSlice[];
  /** Pods of this node. */
  readonly pods: readonly Pod[];
}

/** Where one packet may go. */
interface Target {
  readonly address: string;
  readonly port: number;
  readonly local: boolean;
}

/** Packets that must come back through this node, because they entered it for a pod elsewhere. */
const masquerade = "meta mark set meta mark or 0x4000";

/**
 * Ready endpoints; when none is, those on their way out that still serve: better a farewell than a refusal
 * (KEP-1669).
 */
function usable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((e) => e.conditions?.ready !== false);
  return ready.length > 0
    ? ready
    : endpoints.filter((e) => e.conditions?.serving === true && e.conditions.terminating === true);
}

function targetsOf(slices: readonly EndpointSlice[], port: ServicePort, nodeName: string): readonly Target[] {
  const found = slices.flatMap((slice) => {
    const match = slice.ports?.find(
      (p) => (p.name ?? "") === (port.name ?? "") && (p.protocol ?? "TCP") === (port.protocol ?? "TCP"),
    );
    if (slice.addressType !== "IPv4" || match?.port === undefined) return [];
    return (slice.endpoints ?? []).map((endpoint) => ({ endpoint, port: match.port! }));
  });
  const alive = new Set(usable(found.map((f) => f.endpoint)));
  return found
    .filter((f) => alive.has(f.endpoint))
    .map(({ endpoint, port: number }) => ({
      address: endpoint.addresses[0]!,
      port: number,
      local: endpoint.nodeName === nodeName,
    }))
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

interface Draft {
  readonly chains: Map<string, readonly string[]>;
  readonly sets: Map<string, string>;
  readonly services: Map<string, string>;
  readonly nodePorts: Map<string, string>;
  readonly hostPorts: Map<string, string>;
  readonly hairpins: Set<string>;
}

const dnat = (protocol: string, t: Target): string => `meta l4proto ${protocol} dnat to ${t.address}:${t.port}`;

function spread(protocol: string, targets: readonly Target[]): string {
  if (targets.length === 1) return dnat(protocol, targets[0]!);
  const choices = targets.map((t, i) => `${i} : ${t.address} . ${t.port}`).join(", ");
  return `meta l4proto ${protocol} dnat ip addr . port to numgen random mod ${targets.length} map { ${choices} }`;
}

/** A client goes where it went before, for as long as it keeps coming back in time; a new one goes anywhere. */
function sticky(
  draft: Draft,
  name: string,
  protocol: string,
  targets: readonly Target[],
  seconds: number,
): readonly string[] {
  const chosen = targets.map((t) => {
    const id = hashName(`${name}/${t.address}:${t.port}/${seconds}`, 10);
    draft.sets.set(`aff_${id}`, `type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s;`);
    draft.chains.set(`ep_${id}`, [`update @aff_${id} { ip saddr }`, dnat(protocol, t)]);
    return id;
  });
  const anywhere = chosen.map((id, i) => `${i} : goto ep_${id}`).join(", ");
  return [
    ...chosen.map((id) => `ip saddr @aff_${id} goto ep_${id}`),
    `numgen random mod ${chosen.length} vmap { ${anywhere} }`,
  ];
}

/** A chain that sends packets to these targets; undefined when there is none to send them to. */
function chainFor(
  draft: Draft,
  name: string,
  service: Service,
  protocol: string,
  targets: readonly Target[],
): string | undefined {
  if (targets.length === 0) return undefined;
  const seconds =
    service.spec.sessionAffinity === "ClientIP"
      ? (service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : undefined;
  draft.chains.set(
    name,
    seconds === undefined ? [spread(protocol, targets)] : sticky(draft, name, protocol, targets, seconds),
  );
  return name;
}

interface Entry {
  readonly id: string;
  readonly protocol: string;
  /** Where packets go; undefined when there is no pod they may go to. */
  readonly chain: string | undefined;
  /** They stay on the node they entered, and keep their sender's address. */
  readonly localOnly: boolean;
}

/** From outside, a packet may enter any node; only one that stays there need not come back through it. */
function addNodePort(draft: Draft, nodePort: number, { id, protocol, chain, localOnly }: Entry): void {
  const rules = chain === undefined ? [] : [...(localOnly ? [] : [masquerade]), `goto ${chain}`];
  // Without a pod here that node says nothing at all, so that a load balancer tries another.
  draft.chains.set(`np_${id}`, rules.length > 0 ? rules : ["drop"]);
  draft.nodePorts.set(`${protocol} . ${nodePort}`, `goto np_${id}`);
}

function addPort(draft: Draft, service: Service, port: ServicePort, { slicesOf, nodeName }: Observed): void {
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const id = hashName(`${service.metadata.namespace}/${service.metadata.name}/${port.name ?? ""}/${protocol}`, 10);
  const all = targetsOf(slicesOf(service), port, nodeName);
  const local = all.filter((t) => t.local);
  for (const t of local) draft.hairpins.add(`${t.address} . ${t.address}`);
  const { internalTrafficPolicy: inside, externalTrafficPolicy: outside } = service.spec;
  const everyone =
    inside === "Local" && outside === "Local" ? undefined : chainFor(draft, `svc_${id}`, service, protocol, all);
  const nearby =
    inside === "Local" || outside === "Local" ? chainFor(draft, `loc_${id}`, service, protocol, local) : undefined;
  const fromInside = inside === "Local" ? nearby : everyone;
  const addresses = [service.spec.clusterIP!, ...(service.spec.externalIPs ?? [])];
  if (fromInside !== undefined)
    for (const a of addresses) draft.services.set(`${a} . ${protocol} . ${port.port}`, `goto ${fromInside}`);
  const chain = outside === "Local" ? nearby : everyone;
  if (all.length > 0 && port.nodePort)
    addNodePort(draft, port.nodePort, { id, protocol, chain, localOnly: outside === "Local" });
}

function addHostPorts(draft: Draft, pod: Pod): void {
  const ip = pod.status?.podIP;
  if (!ip || pod.spec.hostNetwork === true || isTerminal(pod)) return;
  for (const p of pod.spec.containers.flatMap((c) => c.ports ?? [])) {
    if (!p.hostPort) continue;
    draft.hostPorts.set(`${(p.protocol ?? "TCP").toLowerCase()} . ${p.hostPort}`, `${ip} . ${p.containerPort}`);
    draft.hairpins.add(`${ip} . ${ip}`);
  }
}

const hasAddress = (s: Service): boolean =>
  Boolean(s.spec.clusterIP) && s.spec.clusterIP !== "None" && s.spec.type !== "ExternalName";

export function rulesOf(observed: Observed): Ruleset {
  const draft: Draft = {
    chains: new Map(),
    sets: new Map(),
    services: new Map(),
    nodePorts: new Map(),
    hostPorts: new Map(),
    hairpins: new Set(),
  };
  for (const service of observed.services.filter(hasAddress))
    for (const port of service.spec.ports ?? []) addPort(draft, service, port, observed);
  for (const pod of observed.pods) addHostPorts(draft, pod);
  return draft;
}
