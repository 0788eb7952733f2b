// Services with allocated addresses, and the messages of invalid ones.
import { ApiError } from "../../../../api/errors.ts";
import { type Service, services } from "../../../../api/core/services.ts";
import { type AddressRanges, withAddresses } from "../../../../apiserver/admission/services.ts";
import { clusterAddressesOf } from "../../../../api/networking/service-addresses.ts";
import { stored, messagesOf } from "./validation-cases.ts";

export const ranges: AddressRanges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
export const world = { random: { next: () => 0 } };
export const port = { port: 80 };
export const nothingAllocated = { others: [], addresses: [] };

/** A stored service with its addresses. */
export function storedService(spec: object, others: readonly Service[] = [], metadata: object = {}): Service {
  return withAddresses(
    stored(services, { metadata, spec: { ports: [port], ...spec } }),
    undefined,
    { others, addresses: others.flatMap(clusterAddressesOf) },
    ranges,
    world,
  );
}

/** The messages of a new or updated service; none when it is valid. */
export function serviceMessages(spec: object, old?: Service, metadata: object = {}): readonly string[] {
  const draft = {
    ...stored(services, { metadata, spec: { ports: [port], ...spec } }),
    ...(old && { status: old.status }),
  };
  try {
    return messagesOf(services.validate(withAddresses(draft, old, nothingAllocated, ranges, world), old));
  } catch (e) {
    if (!(e instanceof ApiError)) throw e;
    return (e.details?.causes ?? [{ field: e.reason, message: e.message }]).map((c) => `${c.field}: ${c.message}`);
  }
}
