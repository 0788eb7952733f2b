// An index of the cluster's names: services by name and address, and the endpoints of headless ones. Pure.
import type { EndpointSlice, Service, ServicePort } from "../../api/generated/types.ts";
import { isHeadless } from "../../api/core/services.ts";

interface Host {
  readonly address: string;
  /** Its label below the service: the pod's hostname, or its address with dashes. */
  readonly name: string;
  readonly ready: boolean;
}
export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}
export interface ServiceEntry {
  readonly namespace: string;
  readonly name: string;
  /** Undefined for a headless service, whose name resolves to its hosts. */
  readonly clusterIP: string | undefined;
  /** The CNAME of a service of type ExternalName. */
  readonly externalName: string | undefined;
  readonly ports: readonly NamedPort[];
  readonly hosts: readonly Host[];
}

export interface DnsView {
  service(namespace: string, name: string): ServiceEntry | undefined;
  hasNamespace(namespace: string): boolean;
  /** The name of an address, without the cluster's domain. */
  nameOf(address: string): string | undefined;
}

function hostsOf(slices: readonly EndpointSlice[]): readonly Host[] {
  return slices
    .filter((s) => s.addressType === "IPv4")
    .flatMap((s) => s.endpoints ?? [])
    .flatMap(({ addresses, hostname, conditions }) => {
      const ready = conditions?.ready !== false;
      return addresses.map((address) => ({ address, name: hostname ?? address.replaceAll(".", "-"), ready }));
    });
}

type Port = Partial<Pick<ServicePort, "name" | "protocol" | "port">>;
const portOf = ({ name = "", protocol = "TCP", port = 0 }: Port): NamedPort => ({
  ...{ name, protocol: protocol.toLowerCase(), port },
});

function entryOf(service: Service, slices: readonly EndpointSlice[]): ServiceEntry {
  const external = service.spec.type === "ExternalName";
  const headless = isHeadless(service);
  const ofService = (service.spec.ports ?? []).map(portOf);
  const ofSlices = slices.flatMap((s) => s.ports ?? []).map(portOf);
  return {
    namespace: service.metadata.namespace ?? "",
    name: service.metadata.name,
    clusterIP: headless || external ? undefined : service.spec.clusterIP,
    externalName: external ? service.spec.externalName : undefined,
    ports: headless && ofSlices.length > 0 ? ofSlices : ofService,
    hosts: headless ? hostsOf(slices) : [],
  };
}

/** Indexes the objects as they are now; built again when services or endpoints change. */
export function dnsView(
  services: readonly Service[],
  slicesOf: (service: Service) => readonly EndpointSlice[],
  namespaces: readonly string[],
): DnsView {
  const entries = new Map<string, ServiceEntry>();
  const names = new Map<string, string>();
  for (const service of services) {
    const entry = entryOf(service, slicesOf(service));
    entries.set(`${entry.namespace}/${entry.name}`, entry);
    const below = `${entry.name}.${entry.namespace}.svc`;
    if (entry.clusterIP !== undefined) names.set(entry.clusterIP, below);
    for (const host of entry.hosts) names.set(host.address, `${host.name}.${below}`);
  }
  const known = new Set(namespaces);
  return {
    service: (namespace, name) => entries.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => known.has(namespace),
    nameOf: (address) => names.get(address),
  };
}
