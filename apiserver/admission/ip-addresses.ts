// IPAddress objects of services: one for each cluster address, committed together with the service that has it, so that
// no address is allocated twice, by however many servers.
import type { Service } from "../../api/generated/types.ts";
import { type ApiObject, revision } from "../../api/meta.ts";
import { addressDraft, clusterAddressesOf } from "../../api/networking/service-addresses.ts";
import { ipAddresses } from "../../api/networking/servicecidrs.ts";
import type { World } from "../../machinery/world.ts";
import type { Replacement } from "../registry/admission.ts";
import { encode, prefixOf, remember } from "../registry/codec.ts";
import { newUid, prepareCreate } from "../registry/prepare.ts";
import type { Present, Write } from "../storage/storage.ts";

const keyOf = (address: string): string => prefixOf(ipAddresses) + address;

/** The addresses that are allocated: of services, and those that users have reserved. */
export const allocatedAddresses = (present: Present): readonly string[] =>
  present.list(prefixOf(ipAddresses)).map(({ key }) => key.slice(prefixOf(ipAddresses).length));

function create(service: Service, address: string, { random, clock }: Pick<World, "random" | "clock">): Write {
  const identity = { name: address, uid: newUid(random), now: clock.now() };
  const object = prepareCreate(ipAddresses, addressDraft(service, address), identity);
  const value = encode(object);
  remember(value, object);
  return { key: keyOf(address), expect: revision(0), value };
}

/** Creates the objects of new addresses, and removes those of former ones. */
export function addressWrites(
  { before, after }: Replacement,
  present: Present,
  world: Pick<World, "random" | "clock">,
): readonly Write[] {
  const [old, service] = [before, after] as readonly (ApiObject | undefined)[] as readonly (Service | undefined)[];
  const [then, now] = [clusterAddressesOf(old), clusterAddressesOf(service)];
  const removed = then.filter((address) => !now.includes(address));
  return [
    ...now.filter((address) => !then.includes(address)).map((address) => create(service!, address, world)),
    ...removed.flatMap((address) => {
      const stored = present.get(keyOf(address));
      return stored ? [{ key: stored.key, expect: stored.modified, value: null }] : [];
    }),
  ];
}
