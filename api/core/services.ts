// Service: one steady name and address for pods that come and go.
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateBalancerStatus, validateMode, withModes } from "./load-balancers-validate.ts";
import { hasNodePorts, isReachedFromOutside } from "./services-types.ts";
import { validateService } from "./services-validate.ts";
import { serviceWarnings } from "./services-warnings.ts";

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

/** Addresses and families are the server's to give: they depend on the cluster, and on what the service had. */
function defaults(d: Draft<Service>): Draft<Service> {
  const { sessionAffinityConfig: _, ...given } = d.spec;
  const isInside = given.type === "ClusterIP" || hasNodePorts(given);
  const spec: ServiceSpec = {
    ...given,
    ...affinityOf(d.spec),
    ...(given.ports ? { ports: given.ports.map(port) } : {}),
    ...(isReachedFromOutside(given) ? { externalTrafficPolicy: given.externalTrafficPolicy || "Cluster" } : {}),
    ...(isInside ? { internalTrafficPolicy: given.internalTrafficPolicy ?? "Cluster" } : {}),
    ...(given.type === "LoadBalancer"
      ? { allocateLoadBalancerNodePorts: given.allocateLoadBalancerNodePorts ?? true }
      : {}),
  };
  return { ...d, spec };
}

const portsCell = (s: Service): string =>
  (s.spec.ports ?? []).map((p) => `${p.port}${p.nodePort ? `:${p.nodePort}` : ""}/${p.protocol}`).join(",") || "<none>";

function externalCell(s: Service): string {
  const given = s.spec.externalIPs ?? [];
  if (s.spec.type === "ExternalName") return s.spec.externalName ?? "";
  if (s.spec.type !== "LoadBalancer") return given.join(",") || "<none>";
  const ingress = (s.status?.loadBalancer?.ingress ?? []).map((i) => i.ip ?? i.hostname ?? "");
  return [...ingress, ...given].join(",") || "<pending>";
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
    {
      name: "Selector",
      priority: 1,
      cell: (s) =>
        Object.entries(s.spec.selector ?? {})
          .map(([k, v]) => `${k}=${v}`)
          .toSorted()
          .join(",") || "<none>",
    },
  ],
});
