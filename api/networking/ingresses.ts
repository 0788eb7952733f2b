// Ingress: routes HTTP requests from outside the cluster to services. IngressClass: the controller that implements it.
// Source: the API reference of networking.k8s.io.
import { parseAddress } from "../addresses.ts";
import { ageColumn, firstThree, nameColumn } from "../columns.ts";
import { validateBalancedIp, validateBalancedName } from "../core/load-balancers-validate.ts";
import type { Problem } from "../errors.ts";
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressClassParametersReference,
  IngressRule,
  IngressTLS,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import {
  validateLabelName,
  validatePathSegment,
  validatePortName,
  validateSubdomainName,
  validateWildcardName,
} from "../names.ts";
import { each, forbidden, inRange, invalid, none, required, together } from "../problems.ts";

export type { Ingress } from "../generated/types.ts";

export const classAnnotation = "kubernetes.io/ingress.class";

const validateHost = (host: string, path: string): readonly Problem[] =>
  host.includes("*") ? validateWildcardName(host, path) : validateSubdomainName(host, path);

function validateBackend({ resource, service }: IngressBackend): readonly Problem[] {
  if (resource && service) return [invalid("", "", "cannot set both resource and service backends")];
  if (resource)
    return together(
      validatePathSegment(resource.kind, "resource.kind"),
      validatePathSegment(resource.name, "resource.name"),
    );
  if (!service) return [invalid("", "", "resource or service backend is required")];
  const { name, number } = service.port ?? {};
  if (name && number) return [invalid("", "", "cannot set both port name & port number")];
  if (name) return validatePortName(name, "service.port.name");
  return number ? inRange(number, "service.port.number", 1, 65_535) : [required("", "port name or number is required")];
}

function validatePath({ path = "", pathType }: HTTPIngressPath): readonly Problem[] {
  const isSpecific = pathType === "ImplementationSpecific";
  const refuse = (detail: string): Problem => invalid("path", path, detail);
  if (isSpecific) return path === "" || path.startsWith("/") ? none : [refuse("must be an absolute path")];
  return together(
    pathType && !path.startsWith("/") && refuse("must be an absolute path"),
    pathType &&
      ["//", "/./", "/../", "%2f", "%2F"].filter((s) => path.includes(s)).map((s) => refuse(`must not contain '${s}'`)),
    pathType && ["/..", "/."].filter((s) => path.endsWith(s)).map((s) => refuse(`cannot end with '${s}'`)),
  );
}

function validate({ metadata, spec }: Draft<Ingress>, old?: Ingress): readonly Problem[] {
  const { defaultBackend, ingressClassName: name, rules = [] } = spec;
  const annotated = metadata.annotations?.[classAnnotation];
  return together(
    rules.length === 0 &&
      !defaultBackend &&
      invalid("spec", null, "either `defaultBackend` or `rules` must be specified"),
    !old &&
      annotated !== undefined &&
      name !== undefined &&
      annotated !== name &&
      invalid(`annotations.${classAnnotation}`, annotated, "must match `ingressClassName` when both are specified"),
  );
}

const pointsOf = ({ status }: Ingress) => status?.loadBalancer?.ingress ?? [];

function validateStatus(next: Ingress, old: Ingress): readonly Problem[] {
  const known = pointsOf(old).flatMap(({ ip }) => ip ?? []);
  return each(pointsOf(next), "status.loadBalancer.ingress", ({ ip, hostname }, at) =>
    together(validateBalancedIp(ip, `${at}.ip`, known), validateBalancedName(hostname, `${at}.hostname`)),
  );
}

export const ingresses = define<Ingress>({
  group: "networking.k8s.io",
  kind: "Ingress",
  shortNames: ["ing"],
  scope: "Namespaced",
  subresources: ["status"],
  generation: "spec",
  rules: {
    HTTPIngressPath: validatePath,
    IngressBackend: validateBackend,
    IngressRule: ({ host = "" }: IngressRule) =>
      together(
        parseAddress(host) && invalid("host", host, "must be a DNS name, not an IP address"),
        validateHost(host, "host"),
      ),
    IngressTLS: ({ hosts }: IngressTLS) => each(hosts, "hosts", validateHost),
  },
  validate,
  validateStatus,
  warnings: (i, old) =>
    !old && i.metadata.annotations?.[classAnnotation] !== undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  columns: [
    nameColumn,
    { name: "Class", cell: (i) => i.spec.ingressClassName ?? "<none>" },
    {
      name: "Hosts",
      cell: ({ spec: { rules = [] } }) =>
        firstThree(
          rules.flatMap(({ host }) => host || []),
          "*",
        ),
    },
    {
      name: "Address",
      cell: (i) =>
        pointsOf(i)
          .flatMap(({ ip, hostname }) => ip || hostname || [])
          .join(","),
    },
    { name: "Ports", cell: (i) => (i.spec.tls?.length ? "80, 443" : "80") },
    ageColumn,
  ],
});

function validateScope({ scope, namespace }: IngressClassParametersReference): readonly Problem[] {
  const at = "namespace";
  if (scope === "Cluster")
    return namespace === undefined ? none : [forbidden(at, "`parameters.scope` is set to 'Cluster'")];
  if (scope !== "Namespace") return none;
  return namespace === undefined
    ? [required(at, "`parameters.scope` is set to 'Namespace'")]
    : validateLabelName(namespace, at);
}

const parametersText = (p: IngressClassParametersReference): string =>
  `${p.kind}${p.apiGroup === undefined ? "" : `.${p.apiGroup}`}/${p.name}`;

export const ingressClasses = define<IngressClass>({
  group: "networking.k8s.io",
  kind: "IngressClass",
  scope: "Cluster",
  generation: "spec",
  rules: { IngressClassParametersReference: validateScope },
  columns: [
    nameColumn,
    { name: "Controller", cell: (c) => c.spec?.controller ?? "" },
    { name: "Parameters", cell: (c) => (c.spec?.parameters ? parametersText(c.spec.parameters) : "<none>") },
    ageColumn,
  ],
});
