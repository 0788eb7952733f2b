// Parses and formats IP addresses and CIDR blocks of both families. Source: RFC 4291 and RFC 5952.

export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
  /** IPv4-mapped IPv6, or with leading zeros, which some parsers read as octal. */
  readonly irregular?: "mapped" | "zeros";
}
export interface Block {
  readonly address: Address;
  readonly prefix: number;
}

const padded = (digits: string): boolean => digits.length > 1 && digits.startsWith("0");

function parseIpv4(text: string): Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((p) => /^\d{1,9}$/.test(p) && Number(p) <= 255)) return undefined;
  const value = parts.reduce((sum, p) => sum * 256n + BigInt(p), 0n);
  return { bits: 32, value, ...(parts.some(padded) && { irregular: "zeros" as const }) };
}

/** The 16-bit groups on one side of a `::`; an IPv4 address at the very end is two of them. */
function groupsOf(text: string, isEnd: boolean): readonly bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const last = isEnd && parts.at(-1)!.includes(".") ? parseIpv4(parts.pop()!) : undefined;
  if (!parts.every((p) => /^[0-9a-fA-F]{1,4}$/.test(p))) return undefined;
  return [...parts.map((p) => BigInt(`0x${p}`)), ...(last ? [last.value >> 16n, last.value & 0xffffn] : [])];
}

function parseIpv6(text: string): Address | undefined {
  const [head = "", tail, ...rest] = text.split("::");
  const before = groupsOf(head, tail === undefined);
  const after = groupsOf(tail ?? "", true);
  if (!before || !after || rest.length > 0) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => 0n), ...after];
  const value = groups.reduce((sum, g) => (sum << 16n) | g, 0n);
  return { bits: 128, value, ...(value >> 32n === 0xffffn && { irregular: "mapped" as const }) };
}

/** Undefined when the text is not an address. */
export const parseAddress = (text: string): Address | undefined =>
  text.includes(":") ? parseIpv6(text) : parseIpv4(text);

const ipv4Of = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");

/** The first longest run of at least two zero groups is written `::`. */
function ipv6Of(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  const runs = groups.map((_, i) => {
    const end = groups.findIndex((g, j) => j >= i && g !== "0");
    return (end < 0 ? 8 : end) - i;
  });
  const longest = Math.max(...runs);
  if (longest < 2) return groups.join(":");
  const from = runs.indexOf(longest);
  return `${groups.slice(0, from).join(":")}::${groups.slice(from + longest).join(":")}`;
}

/** The canonical form of an address. */
export const addressText = ({ bits, value, irregular }: Address): string =>
  bits === 32 || irregular === "mapped" ? ipv4Of(value & 0xffff_ffffn) : ipv6Of(value);

const maskOf = ({ address: { bits }, prefix }: Block): bigint =>
  ((1n << BigInt(bits)) - 1n) ^ ((1n << BigInt(bits - prefix)) - 1n);

/** Undefined when the text is not a block such as `10.0.0.0/8`. */
export function parseBlock(text: string): Block | undefined {
  const [before = "", length = "", ...rest] = text.split("/");
  const address = parseAddress(before);
  if (!address || rest.length > 0 || !/^\d{1,9}$/.test(length) || Number(length) > address.bits) return undefined;
  const irregular = padded(length) ? ("zeros" as const) : address.irregular;
  return { address: { ...address, ...(irregular && { irregular }) }, prefix: Number(length) };
}

/** The canonical form of a block, without host bits. */
export function blockText(block: Block): string {
  const value = block.address.value & maskOf(block);
  return `${addressText({ ...block.address, value })}/${block.prefix}`;
}

/** Whether the block has no host bits. */
export const isFirst = (block: Block): boolean => (block.address.value & maskOf(block)) === block.address.value;

export const holdsAddress = (block: Block, { bits, value }: Address): boolean =>
  bits === block.address.bits && (value & maskOf(block)) === (block.address.value & maskOf(block));
