// What can be wrong with the addresses of a service and their families, and how little of them may change.
// Source: KEP-563 (dual-stack).
import { parseAddress } from "../addresses.ts";
import { validateLenientAddress } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { Service } from "../generated/types.ts";
import { duplicate, each, invalid, required, together, unsupported } from "../problems.ts";
import { valuesOf } from "../schema.ts";
import { hasAddress, isHeadless, type ServiceLike } from "./services-types.ts";

const families = valuesOf("io.k8s.api.core.v1.ServiceSpec", "ipFamilies");
const policies = valuesOf("io.k8s.api.core.v1.ServiceSpec", "ipFamilyPolicy");
const path = "spec.clusterIPs";

/** `IPv4` or `IPv6`, of an address that is known to be one. */
export const familyOf = (address: string): "IPv4" | "IPv6" => (parseAddress(address)?.bits === 128 ? "IPv6" : "IPv4");

/** The one address and the list of addresses say the same. */
function validateFirst({ clusterIP, clusterIPs = [] }: Service["spec"]): readonly Problem[] {
  if (!clusterIP)
    return clusterIPs.length === 0
      ? []
      : [invalid(path, clusterIPs, "must be empty when `clusterIP` is not specified")];
  if (clusterIPs.length === 0) return [required(path)];
  return clusterIPs[0] === clusterIP ? [] : [invalid(path, clusterIPs, "first value must match `clusterIP`")];
}

const validateFamilies = ({ ipFamilies = [], ipFamilyPolicy }: Service["spec"]): readonly Problem[] =>
  together(
    each(ipFamilies, "spec.ipFamilies", (family, at, i) =>
      together(
        !families.includes(family) && unsupported(at, family, families),
        ipFamilies.indexOf(family) < i && duplicate(at, family),
      ),
    ),
    ipFamilyPolicy !== undefined &&
      !policies.includes(ipFamilyPolicy) &&
      unsupported("spec.ipFamilyPolicy", ipFamilyPolicy, policies),
  );

function faultsOf(ips: readonly string[], known: readonly string[]): readonly Problem[] {
  return each(ips, path, (ip, at, i) => {
    if (i === 0 && ip === "None")
      return ips.length > 1 ? [invalid(path, ips, "'None' must be the first and only value")] : [];
    return known.includes(ip) ? [] : validateLenientAddress(ip, at);
  });
}

/** Every address is of the family that is said to be its. */
function validatePairs({ clusterIPs = [], ipFamilies = [] }: Service["spec"]): readonly Problem[] {
  return clusterIPs.flatMap((ip, i) => {
    const family = ipFamilies[i];
    if (family === undefined || !families.includes(family) || family === familyOf(ip)) return [];
    return [invalid(`${path}[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)];
  });
}

/** What is wrong with the addresses themselves: asked of who wants one, and again of who has got it. */
export function validateServiceAddresses(service: ServiceLike, old?: ServiceLike): readonly Problem[] {
  const { spec } = service;
  if (!hasAddress(spec)) return [];
  const ips = spec.clusterIPs ?? [];
  const faults = faultsOf(ips, old?.spec.clusterIPs ?? []);
  const before = [
    ...validateFirst(spec),
    ...validateFamilies(spec),
    ...faults,
    ...(ips.length > 2 ? [invalid(path, ips, "may only hold up to 2 values")] : []),
  ];
  // Of what is no address, nothing more can be said.
  if (faults.length > 0) return before;
  const isTwice = ips.length > 1 && new Set(ips.map(familyOf)).size !== ips.length;
  return together(
    before,
    isTwice && invalid(path, ips, "may specify no more than one IP for each IP family"),
    !isHeadless(service) && validatePairs(spec),
  );
}

/** A list whose first word stays for good, and whose second comes and goes with the policy. */
interface Listed {
  readonly path: string;
  readonly next: readonly string[];
  readonly old: readonly string[];
  readonly called: string;
  /** Whether every word that was changed is pointed at, or only the first. */
  readonly byPlace: boolean;
}
function validateList(
  { path: at, next, old, called, byPlace }: Listed,
  policy: string | undefined,
): readonly Problem[] {
  if (next.length === old.length)
    return old.flatMap((word, i) =>
      word === next[i] ? [] : [invalid(`${at}[${byPlace ? i : 0}]`, next, "may not change once set")],
    );
  const gone = next.length < old.length;
  return together(
    gone && next.length === 0 && invalid(`${at}[0]`, next, `primary ${called} can not be unset`),
    next.length > 0 && old.length > 0 && next[0] !== old[0] && invalid(`${at}[0]`, next, "may not change once set"),
    gone &&
      next.length === 1 &&
      policy !== "SingleStack" &&
      invalid(
        "spec.ipFamilyPolicy",
        policy ?? null,
        `must be set to 'SingleStack' when releasing the secondary ${called}`,
      ),
  );
}

/** Addresses and families stay while the service has any. */
export function validateAddressChange(service: ServiceLike, old: ServiceLike): readonly Problem[] {
  const [next, was] = [service.spec, old.spec];
  if (!hasAddress(next) || !hasAddress(was)) return [];
  const [without, wasWithout] = [isHeadless(service), isHeadless(old)];
  const ips: Listed = {
    path,
    next: next.clusterIPs ?? [],
    old: was.clusterIPs ?? [],
    called: "clusterIP",
    byPlace: true,
  };
  const kinds: Listed = {
    path: "spec.ipFamilies",
    next: next.ipFamilies ?? [],
    old: was.ipFamilies ?? [],
    called: "ipFamily",
    byPlace: false,
  };
  return together(
    !(without && wasWithout) && validateList(ips, next.ipFamilyPolicy),
    !without && !wasWithout && validateList(kinds, next.ipFamilyPolicy),
  );
}
