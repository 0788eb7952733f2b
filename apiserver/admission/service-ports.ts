// Node ports of Services: those that are requested, those a Service has already, and newly allocated ones. Pure, but
// for random choice.
import { ApiError } from "../../api/errors.ts";
import { type Service, services } from "../../api/core/services.ts";
import { hasNodePorts, needsHealthCheck, wantsNodePorts } from "../../api/core/services-types.ts";
import { invalid as wrongField } from "../../api/problems.ts";
import type { Random } from "../../machinery/world.ts";
import { pickFree } from "./ranges.ts";
import { invalid } from "../registry/refusals.ts";

export interface PortRange {
  readonly from: number;
  readonly to: number;
}
type Ports = NonNullable<Service["spec"]["ports"]>;

/** Every port of the nodes that a service holds. */
const nodePortsOf = ({ spec }: Service): readonly number[] =>
  [...(spec.ports ?? []).map((p) => p.nodePort ?? 0), spec.healthCheckNodePort ?? 0].filter((port) => port > 0);

const internal = (because: string): ApiError => new ApiError("InternalError", `Internal error occurred: ${because}`);

/** The low end of the range is reserved for explicitly requested ports (KEP-3668). */
const named = ({ from, to }: PortRange): number => {
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
  /** Take any. */
  any(what: string): number {
    const { from, to } = this.#range;
    const low = from + named(this.#range);
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
    const wanted = port.nodePort || known || siblings[0]?.nodePort;
    if (wanted !== undefined && wanted === known) return { ...port, nodePort: wanted };
    const nodePort = wanted === undefined ? free.any("nodePort") : ask(wanted, i);
    if (!old && known === undefined) shared.set(port.port, nodePort);
    return { ...port, nodePort };
  });
}

function healthPort({ spec }: Service, old: Service | undefined, free: Free): number | undefined {
  const { healthCheckNodePort: asked } = spec;
  if (!needsHealthCheck(spec) || (old && needsHealthCheck(old.spec))) return asked;
  if (!asked) return free.any("HealthCheck NodePort 0");
  const because = free.take(asked);
  if (because === undefined) return asked;
  throw internal(`failed to allocate requested HealthCheck NodePort ${asked}: ${because}`);
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
