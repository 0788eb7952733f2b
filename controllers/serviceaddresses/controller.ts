// Service addresses: restores IPAddress objects of services, and removes those whose service is gone or has another
// address. The API server writes both in one commit, so this repairs what users or older versions did.
import { type Service, services } from "../../api/core/services.ts";
import type { IPAddress } from "../../api/generated/types.ts";
import { type Instant, instantOf, key } from "../../api/meta.ts";
import { addressDraft, clusterAddressesOf, isManaged } from "../../api/networking/service-addresses.ts";
import { ipAddresses } from "../../api/networking/servicecidrs.ts";
import type { Action } from "../../machinery/action.ts";
import { controller, type Decision, watch } from "../../machinery/controller.ts";

/** The service of a key, and the IPAddress objects that name it. */
export interface Observed {
  readonly service: Service | undefined;
  readonly addresses: readonly IPAddress[];
}

/** The key of the service that an address belongs to. */
function serviceOf(address: IPAddress): readonly ReturnType<typeof key>[] {
  const parent = address.spec?.parentRef;
  return isManaged(address) && parent?.resource === "services" ? [key(parent.namespace, parent.name)] : [];
}

/** A younger address is left alone: the view of services may not show its service yet. Kubernetes: the same. */
const graceMs = 60_000;

export function decide({ service, addresses }: Observed, now: Instant): Decision {
  const expected = clusterAddressesOf(service);
  const names = addresses.map(({ metadata }) => metadata.name);
  const missing = expected.filter((address) => !names.includes(address));
  const unused = addresses.filter(({ metadata }) => !expected.includes(metadata.name));
  const ages = unused.map(({ metadata }) => now - instantOf(metadata.creationTimestamp));
  const stale = unused.filter((_, i) => ages[i]! >= graceMs);
  const young = ages.filter((age) => age < graceMs);
  const actions: readonly Action[] = [
    ...missing.map((address) => ({
      ...{ do: "create" as const, resource: ipAddresses, draft: addressDraft(service!, address) },
    })),
    ...stale.map((object) => ({ do: "delete" as const, resource: ipAddresses, object })),
  ];
  const because = [
    ...missing.map((address) => `no IPAddress records ${address}`),
    ...stale.map(({ metadata }) => `no service has ${metadata.name}`),
  ];
  return { actions, because, ...(young.length > 0 && { requeueAfter: graceMs - Math.max(...young) }) };
}

export const serviceAddressController = controller({
  name: "serviceaddress",
  reconciles: services,
  watches: [watch(ipAddresses, serviceOf, { service: serviceOf })],
  writes: [{ kind: ipAddresses, verbs: ["create", "delete"] }],
  observe: (views, k): Observed => ({
    service: views.of(services).get(k),
    addresses: views.of(ipAddresses).byIndex("service", k),
  }),
  decide,
});
