// The IPAddress objects of a service. Source: KEP-1880, "Multiple Service CIDRs".
import { hasAddress, isHeadless } from "../core/services-types.ts";
import type { IPAddress, Service } from "../generated/types.ts";
import type { Draft } from "../meta.ts";

const familyLabel = "ipaddress.kubernetes.io/ip-family";
const managedByLabel = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator.k8s.io";

/** The addresses in the cluster that a service has. */
export const clusterAddressesOf = (service: Service | undefined): readonly string[] =>
  service && hasAddress(service.spec) && !isHeadless(service) ? (service.spec.clusterIPs ?? []) : [];

/** The object that records that the service has the address. */
export function addressDraft({ metadata }: Service, address: string): Draft<IPAddress> {
  const { name, namespace } = metadata;
  const labels = { [familyLabel]: address.includes(":") ? "IPv6" : "IPv4", [managedByLabel]: manager };
  return {
    kind: "IPAddress",
    metadata: { name: address, labels },
    spec: { parentRef: { group: "", resource: "services", namespace, name } },
  };
}

/** Whether the object is one of these: others belong to their creators. */
export const isManaged = ({ metadata }: IPAddress): boolean => metadata.labels?.[managedByLabel] === manager;
