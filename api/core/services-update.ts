// What an update leaves out and means to keep, and what goes with a type that is left. Source: the service's own
// reference, which says that clients that know nothing of a field do not lose what the server put there.
import { sameJson } from "../hash.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { hasAddress, hasNodePorts, isReachedFromOutside, needsHealthCheck } from "./services-types.ts";

const portsIn = (ports: readonly ServicePort[]): readonly number[] => ports.flatMap((p) => p.nodePort || []);

/** Ports that name no port of the nodes have the one that a port of their name had, unless another has taken it. */
function keptPorts(ports: readonly ServicePort[], old: readonly ServicePort[]): readonly ServicePort[] {
  const before = new Map(old.map((p) => [p.name ?? "", p.nodePort]));
  const used = new Set(portsIn(ports));
  return ports.map((port) => {
    const nodePort = before.get(port.name ?? "");
    if (port.nodePort || !nodePort || used.has(nodePort)) return port;
    used.add(nodePort);
    return { ...port, nodePort };
  });
}

/** Whoever knows only the one address means it with both fields. */
function sameAddresses(next: ServiceSpec, old: ServiceSpec | undefined): Partial<ServiceSpec> {
  const { clusterIP, clusterIPs = [] } = next;
  if (!old) return clusterIP && clusterIPs.length === 0 ? { clusterIPs: [clusterIP] } : {};
  if (clusterIP === old.clusterIP)
    return clusterIPs.length === 0 && old.clusterIPs ? { clusterIPs: old.clusterIPs } : {};
  if (clusterIPs.length > 0 && !sameJson(clusterIPs, old.clusterIPs ?? [])) return {};
  return { clusterIPs: clusterIP ? [clusterIP] : undefined };
}

/** What the server gave before, for those who did not say it again. */
function kept(next: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const address = hasAddress(next) && hasAddress(old);
  const ports = hasNodePorts(next) && hasNodePorts(old);
  const health = needsHealthCheck(next) && needsHealthCheck(old);
  return {
    ...next,
    ...(address && !next.clusterIP && old.clusterIP ? { clusterIP: old.clusterIP } : {}),
    ...(ports && next.ports ? { ports: keptPorts(next.ports, old.ports ?? []) } : {}),
    ...(health && !next.healthCheckNodePort ? { healthCheckNodePort: old.healthCheckNodePort } : {}),
  };
}

/** The service as its writer means it, before anything new is given to it. */
export function meant(service: Service, old: Service | undefined): Service {
  const spec = old ? kept(service.spec, old.spec) : service.spec;
  return { ...service, spec: { ...spec, ...sameAddresses(spec, old?.spec) } };
}

/** Fields that go when the type they belong to is left: not those that were changed, for these are a mistake. */
function goneFields(next: ServiceSpec, old: ServiceSpec): readonly (keyof ServiceSpec)[] {
  const left = (has: (spec: ServiceSpec) => boolean): boolean => has(old) && !has(next);
  const isBalancer = ({ type }: ServiceSpec): boolean => type === "LoadBalancer";
  const same = (...fields: readonly (keyof ServiceSpec)[]): readonly (keyof ServiceSpec)[] =>
    fields.every((field) => sameJson(next[field], old[field])) ? fields : [];
  return [
    ...(left(hasAddress) ? [...same("clusterIP", "clusterIPs"), ...same("ipFamilies"), ...same("ipFamilyPolicy")] : []),
    ...(left(needsHealthCheck) ? same("healthCheckNodePort") : []),
    ...(left(isBalancer) ? [...same("allocateLoadBalancerNodePorts"), ...same("loadBalancerClass")] : []),
    ...(left(isReachedFromOutside) ? same("externalTrafficPolicy") : []),
  ];
}

/** The service without what its type no longer has. */
export function withoutLeft(service: Service, old: Service): Service {
  const { spec } = service;
  const gone = goneFields(spec, old.spec);
  const known = portsIn(old.spec.ports ?? []);
  const losesPorts =
    hasNodePorts(old.spec) && !hasNodePorts(spec) && portsIn(spec.ports ?? []).every((p) => known.includes(p));
  return {
    ...service,
    spec: {
      ...(Object.fromEntries(
        Object.entries(spec).filter(([field]) => !gone.includes(field as keyof ServiceSpec)),
      ) as ServiceSpec),
      ...(losesPorts && spec.ports ? { ports: spec.ports.map(({ nodePort: _, ...port }) => port) } : {}),
    },
    ...(spec.type === "LoadBalancer" ? {} : { status: { ...service.status, loadBalancer: {} } }),
  };
}
