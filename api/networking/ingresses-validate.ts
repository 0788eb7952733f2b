// What can be wrong with an ingress.
import { parseAddress } from "../addresses.ts";
import type { Problem } from "../errors.ts";
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressTLS } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validatePathSegment, validatePortName, validateSubdomainName, validateWildcardName } from "../names.ts";
import { inRange, invalid, required } from "../problems.ts";
import { validateBalancedIp, validateBalancedName } from "../core/load-balancers-validate.ts";
import type { Rules } from "../validation.ts";

const badSequences = ["//", "/./", "/../", "%2f", "%2F"];
const badEndings = ["/..", "/."];

const validateHost = (host: string, path: string): readonly Problem[] => [
  ...(parseAddress(host) ? [invalid(path, host, "must be a DNS name, not an IP address")] : []),
  ...(host.includes("*") ? validateWildcardName(host, path) : validateSubdomainName(host, path)),
];

function validateServicePort(port: { name?: string; number?: number } = {}, path: string): readonly Problem[] {
  if (port.name && port.number) return [invalid(path, "", "cannot set both port name & port number")];
  if (port.name) return validatePortName(port.name, `${path}.service.port.name`);
  if (port.number) return inRange(port.number, `${path}.service.port.number`, 1, 65_535);
  return [required(path, "port name or number is required")];
}

function validateBackend({ resource, service }: IngressBackend, path: string): readonly Problem[] {
  if (resource && service) return [invalid(path, "", "cannot set both resource and service backends")];
  if (resource)
    return (["kind", "name"] as const).flatMap((word) =>
      validatePathSegment(resource[word], `${path}.resource.${word}`),
    );
  if (!service) return [invalid(path, "", "resource or service backend is required")];
  return validateServicePort(service.port, path);
}

function validatePathText(text: string, at: string, isPlain: boolean): readonly Problem[] {
  const isAbsolute = text.startsWith("/") || (text === "" && !isPlain);
  const sequences = isPlain ? badSequences.filter((s) => text.includes(s)) : [];
  const endings = isPlain ? badEndings.filter((s) => text.endsWith(s)) : [];
  return [
    ...(isAbsolute ? [] : [invalid(at, text, "must be an absolute path")]),
    ...sequences.map((s) => invalid(at, text, `must not contain '${s}'`)),
    ...endings.map((s) => invalid(at, text, `cannot end with '${s}'`)),
  ];
}

const validatePath = ({ path = "", pathType }: HTTPIngressPath, at: string): readonly Problem[] =>
  pathType ? validatePathText(path, `${at}.path`, pathType !== "ImplementationSpecific") : [];

const validateRule = ({ host }: IngressRule, at: string): readonly Problem[] =>
  host ? validateHost(host, `${at}.host`) : [];

const validateTls = (tls: IngressTLS, at: string): readonly Problem[] =>
  (tls.hosts ?? []).flatMap((host, i) =>
    host.includes("*")
      ? validateWildcardName(host, `${at}.hosts[${i}]`)
      : validateSubdomainName(host, `${at}.hosts[${i}]`),
  );

export const ingressRules: Rules = {
  HTTPIngressPath: validatePath,
  IngressBackend: validateBackend,
  IngressRule: validateRule,
  IngressTLS: validateTls,
};

function validateClass({ metadata, spec }: Draft<Ingress>): readonly Problem[] {
  const annotated = metadata.annotations?.["kubernetes.io/ingress.class"];
  return annotated === undefined || spec.ingressClassName === undefined || annotated === spec.ingressClassName
    ? []
    : [
        invalid(
          "annotations.kubernetes.io/ingress.class",
          annotated,
          "must match `ingressClassName` when both are specified",
        ),
      ];
}

export function validateIngress(ingress: Draft<Ingress>, old?: Ingress): readonly Problem[] {
  const { defaultBackend, rules = [] } = ingress.spec;
  return [
    ...(rules.length > 0 || defaultBackend
      ? []
      : [invalid("spec", null, "either `defaultBackend` or `rules` must be specified")]),
    ...(old ? [] : validateClass(ingress)),
  ];
}

/** What is wrong with where an ingress is said to be reached. */
export function validateIngressStatus(next: Ingress, old: Ingress): readonly Problem[] {
  const known = (old.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return (next.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, i) => {
    const at = `status.loadBalancer.ingress[${i}]`;
    return [...validateBalancedIp(ip, `${at}.ip`, known), ...validateBalancedName(hostname, `${at}.hostname`)];
  });
}
