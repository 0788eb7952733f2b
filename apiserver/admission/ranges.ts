// IPv4 addresses and blocks as numbers, and the choice of a free one. Pure.

/** The network part and size of a block such as `10.96.0.0/16`. */
export interface Block {
  readonly first: number;
  readonly size: number;
}

/** An IPv4 address as a number, or nothing when it is none. */
export function ipv4(text: string): number | undefined {
  const parts = text.split(".").map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
/** Undo {@link ipv4}. */
export const ipv4Text = (n: number): string => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join(".");

/** A block in CIDR notation; throws on what is none, since only operators write these. */
export function block(cidr: string): Block {
  const [address = "", bits = ""] = cidr.split("/");
  const first = ipv4(address);
  const length = Number(bits);
  if (first === undefined || !/^\d+$/.test(bits) || length < 8 || length > 30)
    throw new Error(`${cidr} is no usable IPv4 range`);
  const size = 2 ** (32 - length);
  return { first: first - (first % size), size };
}

/** The low end of a block is reserved for explicitly requested addresses, such as the cluster's DNS. */
export const reserved = ({ size }: Block): number => Math.min(Math.max(16, size >>> 4), 256);

/**
 * A number in `[from, to)` that is not taken, beginning the search at a place told by `dice` in [0, 1).
 * Beginning anywhere but at the lowest keeps an address from being reused as soon as it is free.
 */
export function pickFree(from: number, to: number, taken: ReadonlySet<number>, dice: number): number | undefined {
  const count = to - from;
  if (count <= 0) return undefined;
  const start = Math.floor(dice * count);
  for (let i = 0; i < count; i++) {
    const candidate = from + ((start + i) % count);
    if (!taken.has(candidate)) return candidate;
  }
  return undefined;
}
