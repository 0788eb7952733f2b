// Updates of a service: fields the server allocated are kept when a client omits them, and cleared when the type
// changes. Source: the API reference of Service.
import { sameJson } from "../hash.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { hasAddress, hasNodePorts, isExternallyAccessible, needsHealthCheck } from "./services-types.ts";

const portsIn = (ports: readonly ServicePort[]): readonly number[] => ports.flatMap((p) => p.nodePort || []);

/** Ports without a node port keep that of the old port with their name, unless another port uses it. */
function withNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): readonly ServicePort[] {
  const before = new Map(old.map((p) => [p.name ?? "", p.nodePort]));
  const used = new Set(portsIn(ports));
  return ports.map((port) => {
    const nodePort = before.get(port.name ?? "");
    if (port.nodePort || !nodePort || used.has(nodePort)) return port;
    used.add(nodePort);
    return { ...port, nodePort };
  });
}

/** A client that sets only `clusterIP` sets `clusterIPs` with it. */
function addressesOf(next: ServiceSpec, old: ServiceSpec | undefined): Partial<ServiceSpec> {
  const { clusterIP, clusterIPs = [] } = next;
  if (!old) return clusterIP && clusterIPs.length === 0 ? { clusterIPs: [clusterIP] } : {};
  if (clusterIP === old.clusterIP)
    return clusterIPs.length === 0 && old.clusterIPs ? { clusterIPs: old.clusterIPs } : {};
  if (clusterIPs.length > 0 && !sameJson(clusterIPs, old.clusterIPs ?? [])) return {};
  return { clusterIPs: clusterIP ? [clusterIP] : undefined };
}

/** The new spec with what the server allocated before, where it is omitted. */
function withAllocated(next: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const address = hasAddress(next) && hasAddress(old);
  const ports = hasNodePorts(next) && hasNodePorts(old);
  const health = needsHealthCheck(next) && needsHealthCheck(old);
  return {
    ...next,
    ...(address && !next.clusterIP && old.clusterIP ? { clusterIP: old.clusterIP } : {}),
    ...(ports && next.ports ? { ports: withNodePorts(next.ports, old.ports ?? []) } : {}),
    ...(health && !next.healthCheckNodePort ? { healthCheckNodePort: old.healthCheckNodePort } : {}),
  };
}

/** The service with omitted fields taken from the old one, before allocation. */
export function withOldFields(service: Service, old: Service | undefined): Service {
  const spec = old ? withAllocated(service.spec, old.spec) : service.spec;
  return { ...service, spec: { ...spec, ...addressesOf(spec, old?.spec) } };
}

/** Fields to clear because the type changed; those that the update sets are kept, so that validation refuses them. */
function staleFields(next: ServiceSpec, old: ServiceSpec): readonly (keyof ServiceSpec)[] {
  const left = (has: (spec: ServiceSpec) => boolean): boolean => has(old) && !has(next);
  const isBalancer = ({ type }: ServiceSpec): boolean => type === "LoadBalancer";
  const same = (...fields: readonly (keyof ServiceSpec)[]): readonly (keyof ServiceSpec)[] =>
    fields.every((field) => sameJson(next[field], old[field])) ? fields : [];
  return [
    ...(left(hasAddress) ? [...same("clusterIP", "clusterIPs"), ...same("ipFamilies"), ...same("ipFamilyPolicy")] : []),
    ...(left(needsHealthCheck) ? same("healthCheckNodePort") : []),
    ...(left(isBalancer) ? [...same("allocateLoadBalancerNodePorts"), ...same("loadBalancerClass")] : []),
    ...(left(isExternallyAccessible) ? same("externalTrafficPolicy") : []),
  ];
}

/** The service without fields that its new type does not have. */
export function withoutStaleFields(service: Service, old: Service): Service {
  const { spec } = service;
  const stale = staleFields(spec, old.spec);
  const known = portsIn(old.spec.ports ?? []);
  const losesPorts =
    hasNodePorts(old.spec) && !hasNodePorts(spec) && portsIn(spec.ports ?? []).every((p) => known.includes(p));
  return {
    ...service,
    spec: {
      ...(Object.fromEntries(
        Object.entries(spec).filter(([field]) => !stale.includes(field as keyof ServiceSpec)),
      ) as ServiceSpec),
      ...(losesPorts && spec.ports ? { ports: spec.ports.map(({ nodePort: _, ...port }) => port) } : {}),
    },
    ...(spec.type === "LoadBalancer" ? {} : { status: { ...service.status, loadBalancer: {} } }),
  };
}
