// Allocation of cluster addresses and node ports for Services. The stored Services are the only record of what is
// allocated, so nothing can leak or disagree with them.
import { ApiError } from "../../api/errors.ts";
import { meant, withoutLeft } from "../../api/core/services-update.ts";
import { withFamilies } from "../../api/core/services-families.ts";
import { hasAddress, isHeadless } from "../../api/core/services-types.ts";
import { type Service, services } from "../../api/core/services.ts";
import type { ApiObject } from "../../api/meta.ts";
import { invalid as wrongField } from "../../api/problems.ts";
import type { World } from "../../machinery/world.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { withoutUndefined } from "../registry/prepare.ts";
import { type Block, block, ipv4, ipv4Text, pickFree, reserved } from "./ranges.ts";
import { invalid } from "../registry/refusals.ts";
import { type PortRange, withPorts } from "./service-ports.ts";

/** Where services get their addresses from. */
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

/** Why this address cannot be had, if it cannot. */
function whyNot(asked: string, taken: ReadonlySet<number>, range: Block): string | undefined {
  const ip = ipv4(asked);
  const [from, to] = usable(range);
  if (ip === undefined || ip < range.first || ip >= range.first + range.size)
    return "the provided network does not match the current range";
  if (ip < from || ip >= to)
    return `the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${ipv4Text(range.first)}/${32 - Math.log2(range.size)}`;
  return taken.has(ip) ? "provided IP is already allocated" : undefined;
}

/** The service with an address, which it gets when it comes to need one and then keeps. */
function withIp(
  service: Service,
  old: Service | undefined,
  others: readonly Service[],
  range: Block,
  dice: number,
): Service {
  const { spec, metadata } = service;
  if (!hasAddress(spec) || isHeadless(service) || (old && hasAddress(old.spec))) return service;
  const taken = new Set(others.flatMap((s) => ipv4(s.spec.clusterIP ?? "") ?? []));
  const [asked] = spec.clusterIPs ?? [];
  const because = asked && whyNot(asked, taken, range);
  if (because)
    throw invalid(services, metadata.name, [
      wrongField("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${asked}: ${because}`),
    ]);
  const ip = asked ?? anyIp(taken, range, dice);
  return { ...service, spec: { ...spec, clusterIP: ip, clusterIPs: [ip] } };
}

/** The service with its addresses, kept where it had some and chosen where it had none. Throws what it cannot have. */
export function withAddresses(
  service: Service,
  old: Service | undefined,
  others: readonly Service[],
  ranges: AddressRanges,
  world: Pick<World, "random">,
): Service {
  const said = withFamilies(meant(service, old), old);
  if (!("spec" in said)) throw invalid(services, service.metadata.name, said);
  const addressed = withIp(said, old, others, block(ranges.serviceCidr), world.random.next());
  const full = withPorts(addressed, old, others, ranges.nodePorts, world.random);
  const next = old ? withoutLeft(full, old) : full;
  return { ...next, spec: withoutUndefined(next.spec) };
}

/** Gives every Service its addresses as it is created or changes its type. */
export function serviceAddresses(world: World, ranges: AddressRanges): AdmissionPlugin {
  return {
    name: "ServiceAddresses",
    operations: ["CREATE", "UPDATE"],
    handles: (r) => r.group === "" && r.plural === "services",
    async mutate(object, { old, present }) {
      // Whoever writes the status, or a label, leaves the spec as it stands.
      if ((object as Service).spec === (old as Service | undefined)?.spec) return object;
      const all = (await present()).list(prefixOf(services)).map((e) => objectOf<Service>(e));
      const others = all.filter((s) => s.metadata.uid !== object.metadata.uid);
      return withAddresses(object as Service, old as Service | undefined, others, ranges, world) as ApiObject;
    },
  };
}
