// Service: one steady name and address for pods that come and go.
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { validateService } from "./services-validate.ts";

export type { Service } from "../generated/types.ts";

/** No cluster address: DNS answers with the pods' own. */
export const isHeadless = (s: Service): boolean => s.spec.clusterIP === "None";

const port = (p: ServicePort): ServicePort => ({
  ...p,
  protocol: p.protocol || "TCP",
  targetPort: p.targetPort === undefined || p.targetPort === "" || p.targetPort === 0 ? p.port : p.targetPort,
});

function defaults(d: Draft<Service>): Draft<Service> {
  const given: ServiceSpec = d.spec ?? {};
  const type = given.type || "ClusterIP";
  const outside = type === "NodePort" || type === "LoadBalancer";
  const affinity = given.sessionAffinity || "None";
  const spec: ServiceSpec = {
    ...given,
    type,
    sessionAffinity: affinity,
    ...(affinity === "ClientIP"
      ? {
          sessionAffinityConfig: {
            clientIP: { timeoutSeconds: given.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800 },
          },
        }
      : {}),
    ...(given.ports ? { ports: given.ports.map(port) } : {}),
    ...(outside ? { externalTrafficPolicy: given.externalTrafficPolicy || "Cluster" } : {}),
    ...(type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: given.allocateLoadBalancerNodePorts ?? true } : {}),
    ...(type === "ExternalName"
      ? {}
      : {
          internalTrafficPolicy: given.internalTrafficPolicy || "Cluster",
          ipFamilies: given.ipFamilies ?? ["IPv4"],
          ipFamilyPolicy: given.ipFamilyPolicy || "SingleStack",
        }),
  };
  return { ...d, spec, status: d.status ?? { loadBalancer: {} } };
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
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  scope: "Namespaced",
  allowCreateOnUpdate: true,
  subresources: ["status", "proxy"],
  published: "io.k8s.api.core.v1.Service",
  schema: schemaOf("io.k8s.api.core.v1.Service"),
  defaults,
  validate: validateService,
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
