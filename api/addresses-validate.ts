// What can be wrong with an address or a block of them. Fields older than the strict rules take what means the same
// in other words, and warn of it; newer ones take nothing but the one right way to write it.
import { addressText, blockText, isFirst, parseAddress, parseBlock } from "./addresses.ts";
import type { Problem } from "./errors.ts";
import { invalid, together } from "./problems.ts";

const addressExample = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const blockExample = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
/** So much of an IPv6 address comes before an IPv4 address that is written inside it. */
const mappedBits = 96;
const canonical = (text: string): string => `must be in canonical form (${JSON.stringify(text)})`;

/** What is wrong with an address, in words without the field. */
function faultsOfAddress(value: string): readonly string[] {
  const address = parseAddress(value);
  if (!address) return [addressExample];
  if (address.odd === "zeros") return ["must not have leading 0s"];
  return address.odd === "mapped" ? ["must not be an IPv4-mapped IPv6 address"] : [];
}
function faultsOfBlock(value: string): readonly string[] {
  const block = parseBlock(value);
  if (!block) return [blockExample];
  if (block.address.odd === "zeros") return ["must not have leading 0s in IP or prefix length"];
  if (block.address.odd === "mapped") return ["must not have an IPv4-mapped IPv6 address"];
  return isFirst(block) ? [] : ["must not have bits set beyond the prefix length"];
}
const problemsOf = (faults: readonly string[], value: string, path: string): readonly Problem[] =>
  faults.map((fault) => invalid(path, value, fault));

const special: readonly (readonly [form: RegExp, detail: string])[] = [
  [/^127\.|^::1$/, "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [/^169\.254\.|^fe[89ab][0-9a-f]:/, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [/^224\.0\.0\.|^ff02:/, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];

/** Why an address leads nowhere from another machine: it means this one, its link, or nobody. */
export const leadsNowhere = (address: string): string | undefined =>
  address === "0.0.0.0" || address === "::"
    ? `may not be unspecified (${address})`
    : special.find(([form]) => form.test(address))?.[1];

/** An address that somebody else is to reach, in a field that has always been lenient. */
export function validateReachable(value: string, path: string): readonly Problem[] {
  const detail = leadsNowhere(value);
  return together(validateOldAddress(value, path), detail !== undefined && invalid(path, value, detail));
}

/** An address, written in the one right way. */
export function validateAddress(value: string, path: string): readonly Problem[] {
  const faults = faultsOfAddress(value);
  const right = faults.length === 0 ? addressText(parseAddress(value)!) : value;
  return problemsOf(right === value ? faults : [canonical(right)], value, path);
}

/** An address in a field that has always been lenient. */
export const validateOldAddress = (value: string, path: string): readonly Problem[] =>
  problemsOf(faultsOfAddress(value), value, path);

/** A block in a field that has always been lenient; `known` are those that stood there before. */
export const validateOldBlock = (value: string, path: string, known: readonly string[]): readonly Problem[] =>
  known.includes(value) ? [] : problemsOf(faultsOfBlock(value), value, path);

/** A block, written in the one right way. */
export function validateBlock(value: string, path: string): readonly Problem[] {
  const faults = faultsOfBlock(value);
  const right = faults.length === 0 ? blockText(parseBlock(value)!) : value;
  return problemsOf(right === value ? faults : [canonical(right)], value, path);
}

/** An address and how much of it is the network's, as an interface has one; written in the one right way. */
export function validateInterfaceAddress(value: string, path: string): readonly Problem[] {
  const block = parseBlock(value);
  if (!block)
    return [invalid(path, value, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")];
  const { address, prefix } = block;
  const mapped = address.odd === "mapped" && address.bits === 128 ? mappedBits : 0;
  const right = `${addressText(address)}/${prefix - mapped}`;
  return right === value ? [] : [invalid(path, value, canonical(right))];
}

/** What a writer should know of an address that is taken although others may read it differently. */
export function addressWarnings(value: string, path: string): readonly string[] {
  const address = parseAddress(value);
  if (!address) return [];
  const [right, written] = [JSON.stringify(addressText(address)), JSON.stringify(value)];
  if (address.odd) return [`${path}: non-standard IP address ${written} is invalid: use ${right}`];
  return address.bits === 32 || right === written
    ? []
    : [`${path}: IPv6 address ${written} should be in RFC 5952 canonical format (${right})`];
}

/** What a writer should know of a block that is taken although others may read it differently. */
export function blockWarnings(value: string, path: string): readonly string[] {
  const block = parseBlock(value);
  if (!block) return [];
  const [right, written] = [JSON.stringify(blockText(block)), JSON.stringify(value)];
  const { address } = block;
  const ambiguous = isFirst(block)
    ? []
    : [
        `${path}: CIDR value ${written} is ambiguous in this context (should be ${right} or "${addressText(address)}/${address.bits}"?)`,
      ];
  if (address.odd) return [...ambiguous, `${path}: non-standard CIDR value ${written} is invalid: use ${right}`];
  if (ambiguous.length > 0 || address.bits === 32 || right === written) return ambiguous;
  return [`${path}: IPv6 CIDR value ${written} should be in RFC 5952 canonical format (${right})`];
}
