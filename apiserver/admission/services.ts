// Allocation of cluster addresses and node ports for Services. Addresses are recorded by IPAddress objects, node ports
// by keys of their own.
import { ApiError } from "../../api/errors.ts";
import { type Service, services } from "../../api/core/services.ts";
import {
  hasNodePorts,
  needsHealthCheck,
  wantsNodePorts,
  hasAddress,
  isHeadless,
} from "../../api/core/services-types.ts";
import { invalid as wrongField } from "../../api/problems.ts";
import type { Random, World } from "../../machinery/world.ts";
import { invalid } from "../registry/refusals.ts";
import { withOldFields, withoutStaleFields } from "../../api/core/services-update.ts";
import { withFamilies } from "../../api/core/services-families.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { addressWrites, allocatedAddresses } from "./ip-addresses.ts";
import { nodePortsOf, portWrites } from "./node-ports.ts";
import { withoutUndefined } from "../registry/prepare.ts";

/** The network part and size of a block such as `10.96.0.0/16`. */
export interface Block {
  readonly first: number;
  readonly size: number;
}

/** An IPv4 address as a number, or nothing when it is none. */
export function ipv4(text: string): number | undefined {
  const parts = text.split(".").map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
/** Undo {@link ipv4}. */
export const ipv4Text = (n: number): string => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join(".");

/** A block in CIDR notation; throws on what is none, since only operators write these. */
export function block(cidr: string): Block {
  const [address = "", bits = ""] = cidr.split("/");
  const first = ipv4(address);
  const length = Number(bits);
  if (first === undefined || !/^\d+$/.test(bits) || length < 8 || length > 30)
    throw new Error(`${cidr} is no usable IPv4 range`);
  const size = 2 ** (32 - length);
  return { first: first - (first % size), size };
}

/** The low end of a block is reserved for explicitly requested addresses, such as the cluster's DNS. */
export const reserved = ({ size }: Block): number => Math.min(Math.max(16, size >>> 4), 256);

/**
 * A free number in `[from, to)`. The search begins at the fraction `dice` of the range, so that an address is not
 * reused as soon as it is free.
 */
export function pickFree(from: number, to: number, taken: ReadonlySet<number>, dice: number): number | undefined {
  const count = to - from;
  if (count <= 0) return undefined;
  const start = Math.floor(dice * count);
  for (let i = 0; i < count; i++) {
    const candidate = from + ((start + i) % count);
    if (!taken.has(candidate)) return candidate;
  }
  return undefined;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}
type Ports = NonNullable<Service["spec"]["ports"]>;

const internal = (because: string): ApiError => new ApiError("InternalError", `Internal error occurred: ${because}`);

/** The low end of the range is reserved for explicitly requested ports (KEP-3668). */
const reservedPorts = ({ from, to }: PortRange): number => {
  const size = to - from + 1;
  return size <= 16 ? 0 : Math.min(Math.max(16, size >>> 5), 128);
};

/** The ports that are free, and those taken meanwhile. */
class Free {
  readonly #range: PortRange;
  readonly #taken: Set<number>;
  readonly #random: Random;
  constructor(range: PortRange, taken: Iterable<number>, random: Random) {
    this.#range = range;
    this.#taken = new Set(taken);
    this.#random = random;
  }
  /** Takes the port, or returns why it cannot be taken. */
  take(port: number): string | undefined {
    const { from, to } = this.#range;
    if (port < from || port > to)
      return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    if (this.#taken.has(port)) return "provided port is already allocated";
    this.#taken.add(port);
    return undefined;
  }
  /** Takes any free port. */
  any(what: string): number {
    const { from, to } = this.#range;
    const low = from + reservedPorts(this.#range);
    const dice = this.#random.next();
    const port = pickFree(low, to + 1, this.#taken, dice) ?? pickFree(from, low, this.#taken, dice);
    if (port === undefined) throw internal(`failed to allocate a ${what}: range is full`);
    this.#taken.add(port);
    return port;
  }
}

/**
 * The ports of a service with theirs of the nodes. Those of one number, such as DNS over both protocols, share one
 * when the service is new.
 */
function withNodePorts(service: Service, old: Service | undefined, free: Free): Ports {
  const { spec } = service;
  const ports = spec.ports ?? [];
  const mine = new Set((old?.spec.ports ?? []).map((p) => p.nodePort));
  const shared = new Map<number, number>();
  const ask = (nodePort: number, i: number): number => {
    const because = mine.has(nodePort) ? undefined : free.take(nodePort);
    if (because !== undefined)
      throw invalid(services, service.metadata.name, [wrongField(`spec.ports[${i}].nodePort`, nodePort, because)]);
    if (old) mine.add(nodePort);
    return nodePort;
  };
  return ports.map((port, i) => {
    const siblings = old ? [] : ports.filter((p) => p.port === port.port && p.nodePort);
    const known = shared.get(port.port);
    if (!port.nodePort && !wantsNodePorts(spec)) return port;
    const number = port.nodePort || known || siblings[0]?.nodePort;
    if (number !== undefined && number === known) return { ...port, nodePort: number };
    const nodePort = number === undefined ? free.any("nodePort") : ask(number, i);
    if (!old && known === undefined) shared.set(port.port, nodePort);
    return { ...port, nodePort };
  });
}

function healthPort({ spec }: Service, old: Service | undefined, free: Free): number | undefined {
  const { healthCheckNodePort: requested } = spec;
  if (!needsHealthCheck(spec) || (old && needsHealthCheck(old.spec))) return requested;
  if (!requested) return free.any("HealthCheck NodePort 0");
  const because = free.take(requested);
  if (because === undefined) return requested;
  throw internal(`failed to allocate requested HealthCheck NodePort ${requested}: ${because}`);
}

/** The service with its node ports. Throws Invalid for a port that is not available. */
export function withPorts(
  service: Service,
  old: Service | undefined,
  others: readonly Service[],
  range: PortRange,
  random: Random,
): Service {
  const held = old ? nodePortsOf(old) : [];
  const free = new Free(range, [...others.flatMap(nodePortsOf), ...held], random);
  const ports = hasNodePorts(service.spec) ? withNodePorts(service, old, free) : service.spec.ports;
  const spec = { ...service.spec, ...(ports && { ports }) };
  const healthCheckNodePort = healthPort({ ...service, spec }, old, free);
  return { ...service, spec: { ...spec, ...(healthCheckNodePort !== undefined && { healthCheckNodePort }) } };
}

/** The ranges from which addresses and node ports are allocated. */
export interface AddressRanges {
  readonly serviceCidr: string;
  readonly nodePorts: PortRange;
}

/** The first address of a block is its network, the last its broadcast. */
const usable = ({ first, size }: Block): readonly [from: number, to: number] => [first + 1, first + size - 1];

function anyIp(taken: ReadonlySet<number>, range: Block, dice: number): string {
  const [from, to] = usable(range);
  const low = range.first + reserved(range);
  const ip = pickFree(low, to, taken, dice) ?? pickFree(from, low, taken, dice);
  if (ip === undefined)
    throw new ApiError("InternalError", "Internal error occurred: failed to allocate a serviceIP: range is full");
  return ipv4Text(ip);
}

/** Why this address cannot be allocated, if it cannot. */
function whyNot(requested: string, taken: ReadonlySet<number>, range: Block): string | undefined {
  const ip = ipv4(requested);
  const [from, to] = usable(range);
  if (ip === undefined || ip < range.first || ip >= range.first + range.size)
    return "the provided network does not match the current range";
  if (ip < from || ip >= to)
    return `the provided IP (${requested}) is not in the valid range. The range of valid IPs is ${ipv4Text(range.first)}/${32 - Math.log2(range.size)}`;
  return taken.has(ip) ? "provided IP is already allocated" : undefined;
}

/** The service with its cluster address, allocated when it first needs one. */
function withIp(
  service: Service,
  old: Service | undefined,
  allocated: readonly string[],
  range: Block,
  dice: number,
): Service {
  const { spec, metadata } = service;
  if (!hasAddress(spec) || isHeadless(service) || (old && hasAddress(old.spec))) return service;
  const taken = new Set(allocated.flatMap((address) => ipv4(address) ?? []));
  const [requested] = spec.clusterIPs ?? [];
  const because = requested && whyNot(requested, taken, range);
  if (because)
    throw invalid(services, metadata.name, [
      wrongField("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${requested}: ${because}`),
    ]);
  const ip = requested ?? anyIp(taken, range, dice);
  return { ...service, spec: { ...spec, clusterIP: ip, clusterIPs: [ip] } };
}

/** What is allocated already: the other services with their node ports, and all addresses. */
interface Allocated {
  readonly others: readonly Service[];
  readonly addresses: readonly string[];
}

/** The service with its addresses and ports: the old ones are kept, missing ones are allocated. Throws Invalid. */
export function withAddresses(
  service: Service,
  old: Service | undefined,
  { others, addresses }: Allocated,
  ranges: AddressRanges,
  world: Pick<World, "random">,
): Service {
  const completed = withFamilies(withOldFields(service, old), old);
  if (!("spec" in completed)) throw invalid(services, service.metadata.name, completed);
  const addressed = withIp(completed, old, addresses, block(ranges.serviceCidr), world.random.next());
  const full = withPorts(addressed, old, others, ranges.nodePorts, world.random);
  const next = old ? withoutStaleFields(full, old) : full;
  return { ...next, spec: withoutUndefined(next.spec) };
}

/** Gives every Service its addresses as it is created or changes its type. */
export function serviceAddresses(world: World, ranges: AddressRanges): AdmissionPlugin {
  return {
    name: "ServiceAddresses",
    operations: ["CREATE", "UPDATE", "DELETE"],
    handles: (r) => r.group === "" && r.plural === "services",
    async mutate(object, { old, present }) {
      // A write that leaves the spec unchanged changes no allocation.
      if ((object as Service).spec === (old as Service | undefined)?.spec) return object;
      const stored = await present();
      const all = stored.list(prefixOf(services)).map((e) => objectOf<Service>(e));
      const others = all.filter((s) => s.metadata.uid !== object.metadata.uid);
      const allocated = { others, addresses: allocatedAddresses(stored) };
      return withAddresses(object as Service, old as Service | undefined, allocated, ranges, world) as ApiObject;
    },
    alongside: (replacement, _, { received }) => ({
      writes: [...addressWrites(replacement, received, world), ...portWrites(replacement, received)],
    }),
  };
}
