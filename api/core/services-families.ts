// Of which families the addresses of a service are. Source: KEP-563 (dual-stack); here a cluster has one family.
import type { Problem } from "../errors.ts";
import type { Service, ServiceSpec } from "../generated/types.ts";
import { sameJson } from "../hash.ts";
import { each, invalid, together } from "../problems.ts";
import { hasAddress, isHeadless } from "./services-types.ts";
import { familyOf, validateServiceAddresses } from "./services-validate-addresses.ts";

type Family = NonNullable<ServiceSpec["ipFamilies"]>[number];
const ours: readonly Family[] = ["IPv4"];
const all: readonly Family[] = [...ours, "IPv6"];
const policyPath = "spec.ipFamilyPolicy";

/** Who has neither an address nor pods to choose is free to have endpoints of any family. */
const isFree = (service: Service): boolean =>
  isHeadless(service) && Object.keys(service.spec.selector ?? {}).length === 0;

const policyOf = (service: Service, old: Service | undefined): ServiceSpec["ipFamilyPolicy"] =>
  service.spec.ipFamilyPolicy ?? old?.spec.ipFamilyPolicy ?? (isFree(service) ? "RequireDualStack" : "SingleStack");

/** One family is enough for who says so and leaves the rest as it was. */
function reduced(next: ServiceSpec, old: ServiceSpec): ServiceSpec {
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

/** Addresses that are named have a family, also when it is not. */
function validateInferred({ clusterIPs = [], ipFamilies = [] }: ServiceSpec): readonly Problem[] {
  return each(
    clusterIPs,
    "spec.clusterIPs",
    (ip, at, i) =>
      ip !== "None" &&
      i >= ipFamilies.length &&
      !ours.includes(familyOf(ip)) &&
      invalid(at, clusterIPs, `${familyOf(ip)} is not configured on this cluster`),
  );
}

const validateOurs = ({ ipFamilyPolicy, ipFamilies = [] }: ServiceSpec): readonly Problem[] =>
  together(
    ipFamilyPolicy === "RequireDualStack" &&
      invalid(policyPath, ipFamilyPolicy, "this cluster is not configured for dual-stack services"),
    each(
      ipFamilies,
      "spec.ipFamilies",
      (family, at) => !ours.includes(family) && invalid(at, family, "not configured on this cluster"),
    ),
  );

function familiesOf(service: Service): readonly Family[] {
  const { ipFamilies = [], ipFamilyPolicy } = service.spec;
  const families = ipFamilies.length > 0 ? ipFamilies : ours;
  const rest = all.filter((family) => !families.includes(family));
  return isFree(service) && ipFamilyPolicy !== "SingleStack" ? [...families, ...rest] : families;
}

/** The service with its families, or what speaks against them. */
export function withFamilies(service: Service, old: Service | undefined): Service | readonly Problem[] {
  if (!hasAddress(service.spec)) return service;
  const withPolicy = { ...service, spec: { ...service.spec, ipFamilyPolicy: policyOf(service, old) } };
  const wrong = validateServiceAddresses(withPolicy, old);
  if (wrong.length > 0) return wrong;
  const spec = old ? reduced(withPolicy.spec, old.spec) : withPolicy.spec;
  const problems = [
    ...(old ? validateRelease(spec, old.spec) : []),
    ...validatePolicy(spec),
    ...validateInferred(spec),
  ];
  if (problems.length > 0) return problems;
  const next = { ...withPolicy, spec };
  const foreign = isFree(next) ? [] : validateOurs(spec);
  return foreign.length > 0 ? foreign : { ...next, spec: { ...spec, ipFamilies: familiesOf(next) } };
}
