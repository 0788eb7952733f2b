// Validation of the cluster IPs and IP families of a service. Source: KEP-563 (dual-stack).
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

/** `clusterIP` is the first of `clusterIPs`. */
function validateFirst({ clusterIP, clusterIPs = [] }: Service["spec"]): readonly Problem[] {
  const refuse = (detail: string): readonly Problem[] => [invalid(path, clusterIPs, detail)];
  if (!clusterIP) return clusterIPs.length === 0 ? [] : refuse("must be empty when `clusterIP` is not specified");
  if (clusterIPs.length === 0) return [required(path)];
  return clusterIPs[0] === clusterIP ? [] : refuse("first value must match `clusterIP`");
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

function addressProblems(ips: readonly string[], known: readonly string[]): readonly Problem[] {
  return each(ips, path, (ip, at, i) => {
    if (i === 0 && ip === "None")
      return ips.length > 1 ? [invalid(path, ips, "'None' must be the first and only value")] : [];
    return known.includes(ip) ? [] : validateLenientAddress(ip, at);
  });
}

/** Each address is of the family at the same index. */
function validatePairs({ clusterIPs = [], ipFamilies = [] }: Service["spec"]): readonly Problem[] {
  return clusterIPs.flatMap((ip, i) => {
    const family = ipFamilies[i];
    if (family === undefined || !families.includes(family) || family === familyOf(ip)) return [];
    return [invalid(`${path}[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)];
  });
}

/** Validates requested or allocated addresses and families. */
export function validateServiceAddresses(service: ServiceLike, old?: ServiceLike): readonly Problem[] {
  const { spec } = service;
  if (!hasAddress(spec)) return [];
  const ips = spec.clusterIPs ?? [];
  const problems = addressProblems(ips, old?.spec.clusterIPs ?? []);
  const before = [
    ...validateFirst(spec),
    ...validateFamilies(spec),
    ...problems,
    ...(ips.length > 2 ? [invalid(path, ips, "may only hold up to 2 values")] : []),
  ];
  // The family of an invalid address is unknown.
  if (problems.length > 0) return before;
  const isTwice = ips.length > 1 && new Set(ips.map(familyOf)).size !== ips.length;
  return together(
    before,
    isTwice && invalid(path, ips, "may specify no more than one IP for each IP family"),
    !isHeadless(service) && validatePairs(spec),
  );
}

/** `clusterIPs` or `ipFamilies`: the first value is immutable, the second depends on the family policy. */
interface AddressList {
  readonly path: string;
  readonly name: string;
  readonly next: readonly string[];
  readonly old: readonly string[];
}
function validateList({ path: at, name, next, old }: AddressList, policy: string | undefined): readonly Problem[] {
  const isFixed = (i: number): Problem => invalid(`${at}[${i}]`, next, "may not change once set");
  if (next.length === old.length)
    return old.flatMap((value, i) => (value === next[i] ? [] : [isFixed(name === "clusterIP" ? i : 0)]));
  const isShorter = next.length < old.length;
  return together(
    isShorter && next.length === 0 && invalid(`${at}[0]`, next, `primary ${name} can not be unset`),
    next.length > 0 && old.length > 0 && next[0] !== old[0] && isFixed(0),
    isShorter &&
      next.length === 1 &&
      policy !== "SingleStack" &&
      invalid(
        "spec.ipFamilyPolicy",
        policy ?? null,
        `must be set to 'SingleStack' when releasing the secondary ${name}`,
      ),
  );
}

/** Addresses and families are immutable while the service has any. */
export function validateAddressChange(service: ServiceLike, old: ServiceLike): readonly Problem[] {
  const [spec, before] = [service.spec, old.spec];
  if (!hasAddress(spec) || !hasAddress(before)) return [];
  const [headless, wasHeadless] = [isHeadless(service), isHeadless(old)];
  const { clusterIPs: ips = [], ipFamilies = [], ipFamilyPolicy: policy } = spec;
  const { clusterIPs: oldIps = [], ipFamilies: oldFamilies = [] } = before;
  return together(
    (!headless || !wasHeadless) && validateList({ path, name: "clusterIP", next: ips, old: oldIps }, policy),
    !headless &&
      !wasHeadless &&
      validateList({ path: "spec.ipFamilies", name: "ipFamily", next: ipFamilies, old: oldFamilies }, policy),
  );
}
