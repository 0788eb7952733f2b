// The IP families of a service. Source: KEP-563 (dual-stack); a cluster has one family here.
import type { Problem } from "../errors.ts";
import type { Service, ServiceSpec } from "../generated/types.ts";
import { sameJson } from "../hash.ts";
import { each, invalid, together } from "../problems.ts";
import { hasAddress, isHeadless } from "./services-types.ts";
import { familyOf, validateServiceAddresses } from "./services-validate-addresses.ts";

type Family = NonNullable<ServiceSpec["ipFamilies"]>[number];
const clusterFamilies: readonly Family[] = ["IPv4"];
const all: readonly Family[] = [...clusterFamilies, "IPv6"];
const policyPath = "spec.ipFamilyPolicy";

/** A headless service without selector can have endpoints of any family. */
const isUnrestricted = (service: Service): boolean =>
  isHeadless(service) && Object.keys(service.spec.selector ?? {}).length === 0;

const policyOf = (service: Service, old: Service | undefined): ServiceSpec["ipFamilyPolicy"] =>
  service.spec.ipFamilyPolicy ??
  old?.spec.ipFamilyPolicy ??
  (isUnrestricted(service) ? "RequireDualStack" : "SingleStack");

/** A change to `SingleStack` drops the second address and family, unless the update sets them. */
function singleStack(next: ServiceSpec, old: ServiceSpec): ServiceSpec {
  if (next.ipFamilyPolicy !== "SingleStack") return next;
  const first = (field: "clusterIPs" | "ipFamilies"): Partial<ServiceSpec> =>
    next[field] && sameJson(next[field], old[field]) ? { [field]: next[field].slice(0, 1) } : {};
  return { ...next, ...first("clusterIPs"), ...first("ipFamilies") };
}

function validatePolicy({ ipFamilyPolicy, ipFamilies = [], clusterIPs = [] }: ServiceSpec): readonly Problem[] {
  if (ipFamilyPolicy !== "SingleStack") return [];
  const needed = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  return together(
    clusterIPs.length > 1 && invalid(policyPath, ipFamilyPolicy, `${needed} cluster IPs are specified`),
    ipFamilies.length > 1 && invalid(policyPath, ipFamilyPolicy, `${needed} IP families are specified`),
  );
}

const validateRelease = (next: ServiceSpec, old: ServiceSpec): readonly Problem[] => {
  const [families, before] = [next.ipFamilies ?? [], old.ipFamilies ?? []];
  const isLess = families.length > 0 && families.length < before.length && families.every((f, i) => f === before[i]);
  return isLess && next.ipFamilyPolicy !== "SingleStack"
    ? [invalid(policyPath, next.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family")]
    : [];
};

/** Addresses without an explicit family are of one the cluster has. */
function validateInferred({ clusterIPs = [], ipFamilies = [] }: ServiceSpec): readonly Problem[] {
  return each(
    clusterIPs,
    "spec.clusterIPs",
    (ip, at, i) =>
      ip !== "None" &&
      i >= ipFamilies.length &&
      !clusterFamilies.includes(familyOf(ip)) &&
      invalid(at, clusterIPs, `${familyOf(ip)} is not configured on this cluster`),
  );
}

const validateClusterFamilies = ({ ipFamilyPolicy, ipFamilies = [] }: ServiceSpec): readonly Problem[] =>
  together(
    ipFamilyPolicy === "RequireDualStack" &&
      invalid(policyPath, ipFamilyPolicy, "this cluster is not configured for dual-stack services"),
    each(
      ipFamilies,
      "spec.ipFamilies",
      (family, at) => !clusterFamilies.includes(family) && invalid(at, family, "not configured on this cluster"),
    ),
  );

function familiesOf(service: Service): readonly Family[] {
  const { ipFamilies = [], ipFamilyPolicy } = service.spec;
  const families = ipFamilies.length > 0 ? ipFamilies : clusterFamilies;
  const rest = all.filter((family) => !families.includes(family));
  return isUnrestricted(service) && ipFamilyPolicy !== "SingleStack" ? [...families, ...rest] : families;
}

/** The service with its families, or the problems that prevent them. */
export function withFamilies(service: Service, old: Service | undefined): Service | readonly Problem[] {
  if (!hasAddress(service.spec)) return service;
  const withPolicy = { ...service, spec: { ...service.spec, ipFamilyPolicy: policyOf(service, old) } };
  const invalidAddresses = validateServiceAddresses(withPolicy, old);
  if (invalidAddresses.length > 0) return invalidAddresses;
  const spec = old ? singleStack(withPolicy.spec, old.spec) : withPolicy.spec;
  const problems = [
    ...(old ? validateRelease(spec, old.spec) : []),
    ...validatePolicy(spec),
    ...validateInferred(spec),
  ];
  if (problems.length > 0) return problems;
  const next = { ...withPolicy, spec };
  const foreign = isUnrestricted(next) ? [] : validateClusterFamilies(spec);
  return foreign.length > 0 ? foreign : { ...next, spec: { ...spec, ipFamilies: familiesOf(next) } };
}
