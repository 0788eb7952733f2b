// Cluster addresses and node ports of Services. The stored Services are the only record of what is taken,
// so there is nothing that could leak or disagree with them.
import type { Problem } from "../../api/errors.ts";
import { type Service, services } from "../../api/kinds/services.ts";
import type { ApiObject } from "../../api/meta.ts";
import { invalid as wrongField } from "../../api/problems.ts";
import type { World } from "../../machinery/world.ts";
import type { Admission } from "./admission.ts";
import { objectOf } from "./codec.ts";
import { withoutUndefined } from "./prepare.ts";
import { block, type Block, ipv4, ipv4Text, pickFree, reserved } from "./ranges.ts";
import { invalid } from "./refusals.ts";
import { prefixOf } from "./selection.ts";

/** Where services get their addresses from. */
export interface AddressRanges {
  readonly serviceCidr: string;
  readonly nodePorts: { readonly from: number; readonly to: number };
}
type Spec = Service["spec"];
interface Taken {
  readonly ips: ReadonlySet<number>;
  readonly ports: ReadonlySet<number>;
}

const wantsIp = (spec: Spec): boolean => spec.type !== "ExternalName" && spec.clusterIP !== "None";
const wantsPorts = (spec: Spec): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

function takenBy(others: readonly Service[]): Taken {
  const ips = others.map((s) => ipv4(s.spec.clusterIP ?? "")).filter((ip) => ip !== undefined);
  const ports = others.flatMap((s) => (s.spec.ports ?? []).map((p) => p.nodePort ?? 0)).filter((p) => p > 0);
  return { ips: new Set(ips), ports: new Set(ports) };
}

/** The first address of a block is its network, the last its broadcast. */
function allocateIp(spec: Spec, held: string | undefined, taken: Taken, range: Block, dice: number): string | Problem {
  const asked = spec.clusterIP || spec.clusterIPs?.[0] || held;
  const [from, to] = [range.first + 1, range.first + range.size - 1];
  if (asked === undefined) {
    const upper = pickFree(range.first + reserved(range), to, taken.ips, dice);
    const ip = upper ?? pickFree(from, range.first + reserved(range), taken.ips, dice);
    return ip === undefined
      ? wrongField("spec.clusterIPs", [], "failed to allocate a serviceIP: range is full")
      : ipv4Text(ip);
  }
  const ip = ipv4(asked);
  const refuse = (because: string): Problem => wrongField("spec.clusterIPs", [asked], because);
  if (ip === undefined) return refuse("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  if (asked === held) return asked;
  if (ip < from || ip >= to)
    return refuse(
      `failed to allocate IP ${asked}: the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${ipv4Text(range.first)}/${32 - Math.log2(range.size)}`,
    );
  return taken.ips.has(ip) ? refuse(`failed to allocate IP ${asked}: provided IP is already allocated`) : asked;
}

type Ports = NonNullable<Spec["ports"]>;
function allocatePorts(
  ports: Ports,
  old: Ports,
  taken: Taken,
  range: AddressRanges["nodePorts"],
  world: World,
): Ports | Problem {
  const used = new Map<number, string[]>();
  const given: Ports[number][] = [];
  for (const [i, port] of ports.entries()) {
    const protocol = port.protocol ?? "TCP";
    const held = old.find((o) => o.port === port.port && o.protocol === port.protocol)?.nodePort;
    const asked = port.nodePort || held;
    const busy = new Set([...taken.ports, ...used.keys()]);
    const nodePort = asked ?? pickFree(range.from, range.to + 1, busy, world.random.next());
    const path = `spec.ports[${i}].nodePort`;
    if (nodePort === undefined) return wrongField(path, 0, "failed to allocate a nodePort: range is full");
    if (nodePort !== held) {
      if (nodePort < range.from || nodePort > range.to)
        return wrongField(
          path,
          nodePort,
          `provided port is not in the valid range. The range of valid ports is ${range.from}-${range.to}`,
        );
      if (taken.ports.has(nodePort) || used.get(nodePort)?.includes(protocol))
        return wrongField(path, nodePort, "provided port is already allocated");
    }
    used.set(nodePort, [...(used.get(nodePort) ?? []), protocol]);
    given.push({ ...port, nodePort });
  }
  return given;
}

const isProblem = (x: object | string): x is Problem => typeof x === "object" && "message" in x;

/** The service with its addresses, kept where it had some and chosen where it had none. */
export function withAddresses(
  service: Service,
  old: Service | undefined,
  others: readonly Service[],
  ranges: AddressRanges,
  world: World,
): Service | Problem {
  const taken = takenBy(others);
  const { spec } = service;
  let { clusterIP, clusterIPs, ports } = spec;
  if (spec.type === "ExternalName") [clusterIP, clusterIPs] = [undefined, undefined];
  else if (!wantsIp(spec)) clusterIPs = ["None"];
  else {
    const before = old && wantsIp(old.spec) ? old.spec.clusterIP : undefined;
    const ip = allocateIp(spec, before, taken, block(ranges.serviceCidr), world.random.next());
    if (isProblem(ip)) return ip;
    [clusterIP, clusterIPs] = [ip, [ip]];
  }
  if (wantsPorts(spec)) {
    const given = allocatePorts(ports ?? [], old?.spec.ports ?? [], taken, ranges.nodePorts, world);
    if (isProblem(given)) return given;
    ports = given;
  } else if (old && wantsPorts(old.spec)) ports = ports?.map(({ nodePort: _, ...port }) => port);
  return { ...service, spec: withoutUndefined({ ...spec, clusterIP, clusterIPs, ports }) };
}

/** Gives every Service its addresses as it is created or changes its type. */
export function addresses(world: World, ranges: AddressRanges): Admission {
  return {
    name: "ServiceAddresses",
    applies: (r) => r.group === "" && r.plural === "services",
    async admit(r, object, old, look) {
      if (!object) return object;
      const all = (await look()).list(prefixOf(services)).map((e) => objectOf<Service>(e));
      const others = all.filter((s) => s.metadata.uid !== object.metadata.uid);
      const next = withAddresses(object as Service, old as Service | undefined, others, ranges, world);
      if (isProblem(next)) throw invalid(r, object.metadata.name, [next]);
      return next as ApiObject;
    },
  };
}
