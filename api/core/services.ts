// Service: a stable name and address for a set of pods.
import { addressWarnings, blockWarnings } from "../addresses-validate.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { ageColumn, labelsCell, nameColumn } from "../columns.ts";
import { validateBalancerStatus, validateMode, withModes } from "./load-balancers-validate.ts";
import { hasNodePorts, isExternallyAccessible, isHeadless } from "./services-types.ts";
import { validateService } from "./services-validate.ts";

export type { Service } from "../generated/types.ts";

export { isHeadless } from "./services-types.ts";

const port = (p: ServicePort): ServicePort => ({
  ...p,
  targetPort: p.targetPort === undefined || p.targetPort === "" || p.targetPort === 0 ? p.port : p.targetPort,
});

const defaultAffinitySeconds = 10_800;

function affinityOf({ sessionAffinity: kind, sessionAffinityConfig: config }: ServiceSpec): Partial<ServiceSpec> {
  if (kind === "None") return {};
  if (kind !== "ClientIP") return config ? { sessionAffinityConfig: config } : {};
  const timeoutSeconds = config?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  return { sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
}

/** Cluster IPs and families are allocated by the server, not defaulted here. */
function defaults(d: Draft<Service>): Draft<Service> {
  const { sessionAffinityConfig: _, ...own } = d.spec;
  const isInternal = own.type === "ClusterIP" || hasNodePorts(own);
  const spec: ServiceSpec = {
    ...own,
    ...affinityOf(d.spec),
    ...(own.ports ? { ports: own.ports.map(port) } : {}),
    ...(isExternallyAccessible(own) ? { externalTrafficPolicy: own.externalTrafficPolicy || "Cluster" } : {}),
    ...(isInternal ? { internalTrafficPolicy: own.internalTrafficPolicy ?? "Cluster" } : {}),
    ...(own.type === "LoadBalancer"
      ? { allocateLoadBalancerNodePorts: own.allocateLoadBalancerNodePorts ?? true }
      : {}),
  };
  return { ...d, spec };
}

const portsCell = (s: Service): string =>
  (s.spec.ports ?? []).map((p) => `${p.port}${p.nodePort ? `:${p.nodePort}` : ""}/${p.protocol}`).join(",") || "<none>";

function externalCell(s: Service): string {
  const externalIps = s.spec.externalIPs ?? [];
  if (s.spec.type === "ExternalName") return s.spec.externalName ?? "";
  if (s.spec.type !== "LoadBalancer") return externalIps.join(",") || "<none>";
  const ingress = (s.status?.loadBalancer?.ingress ?? []).map((i) => i.ip ?? i.hostname ?? "");
  return [...ingress, ...externalIps].join(",") || "<pending>";
}

const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const modeAnnotation = "service.kubernetes.io/topology-mode";

function ignored({ spec }: Draft<Service>): readonly string[] {
  const headless = spec.type === "ClusterIP" && spec.clusterIP === "None";
  const hasExternalIps = (spec.externalIPs ?? []).length > 0;
  return [
    ...(headless && spec.loadBalancerIP ? ["spec.loadBalancerIP is ignored for headless services"] : []),
    ...(headless && hasExternalIps ? ["spec.externalIPs is ignored for headless services"] : []),
    ...(headless && spec.sessionAffinity !== "None" ? ["spec.SessionAffinity is ignored for headless services"] : []),
  ];
}

/** Warnings about deprecated and ignored fields, and non-canonical addresses. */
function serviceWarnings(service: Draft<Service>): readonly string[] {
  const { metadata, spec } = service;
  const { externalIPs = [], clusterIPs = [], loadBalancerIP, loadBalancerSourceRanges = [] } = spec;
  const isExternal = spec.type === "ExternalName";
  const warningsOf = (field: string, list: readonly string[]): readonly string[] =>
    list.flatMap((ip, i) => addressWarnings(ip, `spec.${field}[${i}]`));
  return [
    ...(metadata.annotations?.[hintsAnnotation] === undefined
      ? []
      : [`annotation ${hintsAnnotation} is deprecated, please use ${modeAnnotation} instead`]),
    ...(isHeadless(service) ? [] : warningsOf("clusterIPs", clusterIPs)),
    ...ignored(service),
    ...(externalIPs.length > 0 ? ["spec.externalIPs is deprecated"] : []),
    ...warningsOf("externalIPs", externalIPs),
    ...(loadBalancerIP ? addressWarnings(loadBalancerIP, "spec.loadBalancerIP") : []),
    ...loadBalancerSourceRanges.flatMap((range, i) => blockWarnings(range, `spec.loadBalancerSourceRanges[${i}]`)),
    ...(isExternal && externalIPs.length > 0 ? ['spec.externalIPs is ignored when spec.type is "ExternalName"'] : []),
    ...(!isExternal && spec.externalName ? ['spec.externalName is ignored when spec.type is not "ExternalName"'] : []),
    ...(spec.trafficDistribution === "PreferClose"
      ? ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']
      : []),
  ];
}

export const services = define<Service>({
  group: "",
  kind: "Service",
  shortNames: ["svc"],
  categories: ["all"],
  scope: "Namespaced",
  nameFormat: "k8s-short-name",
  allowCreateOnUpdate: true,
  subresources: ["status", "proxy"],
  defaults,
  statusDefaults: (status) => ({ ...status, loadBalancer: withModes(status.loadBalancer ?? {}) }),
  rules: { LoadBalancerIngress: validateMode },
  validate: validateService,
  validateStatus: (next, old) =>
    validateBalancerStatus(next.status?.loadBalancer, old.status?.loadBalancer, next.spec.type),
  warnings: serviceWarnings,
  selectable: { "spec.clusterIP": (s) => s.spec.clusterIP ?? "", "spec.type": (s) => s.spec.type ?? "" },
  columns: [
    nameColumn,
    { name: "Type", cell: (s) => s.spec.type ?? "" },
    { name: "Cluster-IP", cell: (s) => s.spec.clusterIP || "<none>" },
    { name: "External-IP", cell: externalCell },
    { name: "Port(s)", cell: portsCell },
    ageColumn,
    { name: "Selector", priority: 1, cell: (s) => labelsCell(s.spec.selector) },
  ],
});
