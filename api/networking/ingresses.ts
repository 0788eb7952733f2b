// Ingress: which requests from outside go to which services.
import type { Ingress, IngressStatus } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, firstThree, nameColumn } from "../columns.ts";
import { ingressRules, validateIngress, validateIngressStatus } from "./ingresses-validate.ts";

export type { Ingress } from "../generated/types.ts";

const addresses = (status: IngressStatus | undefined): string =>
  (status?.loadBalancer?.ingress ?? [])
    .map((i) => i.ip || i.hostname || "")
    .filter((address) => address !== "")
    .join(",");

export const classAnnotation = "kubernetes.io/ingress.class";

export const ingresses = define<Ingress>({
  group: "networking.k8s.io",
  kind: "Ingress",
  shortNames: ["ing"],
  scope: "Namespaced",
  subresources: ["status"],
  generation: "spec",
  rules: ingressRules,
  validate: validateIngress,
  validateStatus: validateIngressStatus,
  warnings: (i, old) =>
    !old && i.metadata.annotations?.[classAnnotation] !== undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  columns: [
    nameColumn,
    { name: "Class", cell: (i) => i.spec.ingressClassName ?? "<none>" },
    {
      name: "Hosts",
      cell: (i) =>
        firstThree(
          (i.spec.rules ?? []).flatMap((r) => r.host || []),
          "*",
        ),
    },
    { name: "Address", cell: (i) => addresses(i.status) },
    { name: "Ports", cell: (i) => (i.spec.tls?.length ? "80, 443" : "80") },
    ageColumn,
  ],
});
