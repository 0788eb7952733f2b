// Validation of IP addresses and CIDR blocks. Older fields accept every spelling and warn about those that other
// programs may read differently; newer ones accept only the canonical form. Source: KEP-4858.
import { type Address, addressText, blockText, isFirst, parseAddress, parseBlock } from "./addresses.ts";
import type { Problem } from "./errors.ts";
import { invalid, none, together } from "./problems.ts";

/** An IPv6 address that maps an IPv4 one has the latter in its last 32 bits. */
const mappedBits = 96;
const canonical = (text: string): string => `must be in canonical form (${JSON.stringify(text)})`;

const addressDetails = { zeros: "must not have leading 0s", mapped: "must not be an IPv4-mapped IPv6 address" };
const blockDetails = {
  zeros: "must not have leading 0s in IP or prefix length",
  mapped: "must not have an IPv4-mapped IPv6 address",
};
/** Why an address is invalid, without its field. */
function addressError(value: string): string | undefined {
  const address = parseAddress(value);
  if (!address) return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
  return address.irregular && addressDetails[address.irregular];
}
function blockError(value: string): string | undefined {
  const block = parseBlock(value);
  if (!block) return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
  if (block.address.irregular) return blockDetails[block.address.irregular];
  return isFirst(block) ? undefined : "must not have bits set beyond the prefix length";
}
const reported = (error: string | undefined, value: string, path: string): readonly Problem[] =>
  error === undefined ? none : [invalid(path, value, error)];

const special: readonly (readonly [form: RegExp, detail: string])[] = [
  [/^127\.|^::1$/, "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [/^169\.254\.|^fe[89ab][0-9a-f]:/, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [/^224\.0\.0\.|^ff02:/, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];

/** Why an address is not reachable from other machines: it is unspecified, loopback or link-local. */
export const unreachableReason = (address: string): string | undefined =>
  address === "0.0.0.0" || address === "::"
    ? `may not be unspecified (${address})`
    : special.find(([form]) => form.test(address))?.[1];

/** An address in a field that accepts every spelling. */
export const validateLenientAddress = (value: string, path: string): readonly Problem[] =>
  reported(addressError(value), value, path);

/** An address in canonical form. */
export function validateAddress(value: string, path: string): readonly Problem[] {
  const error = addressError(value);
  const text = error === undefined ? addressText(parseAddress(value)!) : value;
  return reported(text === value ? error : canonical(text), value, path);
}

/** An address that other machines must reach, in a field that accepts every spelling. */
export const validateReachable = (value: string, path: string): readonly Problem[] =>
  together(validateLenientAddress(value, path), reported(unreachableReason(value), value, path));

/** A block in a field that accepts every spelling; those of `known`, the old value, are not validated again. */
export const validateLenientBlock = (value: string, path: string, known: readonly string[]): readonly Problem[] =>
  known.includes(value) ? none : reported(blockError(value), value, path);

/** A block in canonical form. */
export function validateBlock(value: string, path: string): readonly Problem[] {
  const error = blockError(value);
  const text = error === undefined ? blockText(parseBlock(value)!) : value;
  return reported(text === value ? error : canonical(text), value, path);
}

/** An address with a prefix length, as a network interface has one, in canonical form. */
export function validateInterfaceAddress(value: string, path: string): readonly Problem[] {
  const block = parseBlock(value);
  if (!block)
    return [invalid(path, value, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")];
  const { address, prefix } = block;
  const text = `${addressText(address)}/${prefix - (isMapped(address) ? mappedBits : 0)}`;
  return reported(text === value ? undefined : canonical(text), value, path);
}
const isMapped = ({ irregular, bits }: Address): boolean => irregular === "mapped" && bits === 128;

/** Warnings about an accepted address that other programs may read differently. */
export function addressWarnings(value: string, path: string): readonly string[] {
  const address = parseAddress(value);
  if (!address) return [];
  const [text, written] = [JSON.stringify(addressText(address)), JSON.stringify(value)];
  if (address.irregular) return [`${path}: non-standard IP address ${written} is invalid: use ${text}`];
  return address.bits === 32 || text === written
    ? []
    : [`${path}: IPv6 address ${written} should be in RFC 5952 canonical format (${text})`];
}

/** Warnings about an accepted block that other programs may read differently. */
export function blockWarnings(value: string, path: string): readonly string[] {
  const block = parseBlock(value);
  if (!block) return [];
  const { address } = block;
  const [text, written] = [JSON.stringify(blockText(block)), JSON.stringify(value)];
  const single = `"${addressText(address)}/${address.bits}"`;
  const ambiguous = isFirst(block)
    ? []
    : [`${path}: CIDR value ${written} is ambiguous in this context (should be ${text} or ${single}?)`];
  if (address.irregular) return [...ambiguous, `${path}: non-standard CIDR value ${written} is invalid: use ${text}`];
  if (ambiguous.length > 0 || address.bits === 32 || text === written) return ambiguous;
  return [`${path}: IPv6 CIDR value ${written} should be in RFC 5952 canonical format (${text})`];
}
