// IPv4 ranges: whether they overlap, and which is free for a cluster's network.

interface Range {
  readonly first: number;
  readonly last: number;
}

const number = (ip: string): number => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const parse = (cidr: string): Range | undefined => {
  const match = /^(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/.exec(cidr);
  if (match === null) return undefined;
  const size = 2 ** (32 - Number(match[2] ?? 32));
  const first = Math.floor(number(match[1]!) / size) * size;
  return { first, last: first + size - 1 };
};

/** Whether two ranges overlap. A text that is not an IPv4 range overlaps nothing. */
export const overlap = (one: string, other: string): boolean => {
  const [a, b] = [parse(one), parse(other)];
  return a !== undefined && b !== undefined && a.first <= b.last && b.first <= a.last;
};

/** The 512 ranges for clusters, outside of those that engines and home networks use by default. */
const candidates: readonly string[] = [
  ...Array.from({ length: 256 }, (_, i) => `172.30.${i}.0/24`),
  ...Array.from({ length: 256 }, (_, i) => `10.89.${i}.0/24`),
];

/** The first range that overlaps none of those in use. */
export const freeSubnet = (taken: readonly string[]): string | undefined =>
  candidates.find((candidate) => taken.every((range) => !overlap(candidate, range)));

/** The n-th address of a /24, such as 172.30.0.10 for 10. */
export const addressIn = (subnet: string, n: number): string => subnet.replace(/\.\d+\/\d+$/, `.${n}`);

/** Destinations in the output of `ip -4 route show`, except the default route. */
export const routedRanges = (routes: string): readonly string[] =>
  routes
    .split("\n")
    .map(
      (line) => /^(?:(?:unicast|local|blackhole|unreachable|prohibit) )?(\d+\.\d+\.\d+\.\d+(?:\/\d+)?)/.exec(line)?.[1],
    )
    .filter((range) => range !== undefined);
