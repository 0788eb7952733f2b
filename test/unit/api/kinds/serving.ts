// Services as they stand once they have their addresses, and what is said of those that do not get so far.
import { ApiError } from "../../../../api/errors.ts";
import { type Service, services } from "../../../../api/core/services.ts";
import { type AddressRanges, withAddresses } from "../../../../apiserver/admission/services.ts";
import { born, said } from "./refused.ts";

export const ranges: AddressRanges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
export const world = { random: { next: () => 0 } };
export const port = { port: 80 };

/** A service as it stands once it is stored. */
export function standing(spec: object, others: readonly Service[] = [], metadata: object = {}): Service {
  return withAddresses(
    born(services, { metadata, spec: { ports: [port], ...spec } }),
    undefined,
    others,
    ranges,
    world,
  );
}

/** What is said of a new service, or of one in the place of an old one. */
export function told(spec: object, old?: Service, metadata: object = {}): readonly string[] {
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
