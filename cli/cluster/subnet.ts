// IPv4 ranges: which of them overlap, and which one is still free for a cluster's network.

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

/** Whether two ranges share an address; what is no IPv4 range shares none. */
export const overlap = (one: string, other: string): boolean => {
  const [a, b] = [parse(one), parse(other)];
  return a !== undefined && b !== undefined && a.first <= b.last && b.first <= a.last;
};

/** The 512 ranges a cluster may live in, away from those that engines and home networks take by themselves. */
const candidates: readonly string[] = [
  ...Array.from({ length: 256 }, (_, i) => `172.30.${i}.0/24`),
  ...Array.from({ length: 256 }, (_, i) => `10.89.${i}.0/24`),
];

/** The first range that nobody on this machine uses. */
export const freeSubnet = (taken: readonly string[]): string | undefined =>
  candidates.find((candidate) => taken.every((range) => !overlap(candidate, range)));

/** The n-th address of a /24, such as 172.30.0.10 for 10. */
export const addressIn = (subnet: string, n: number): string => subnet.replace(/\.\d+\/\d+$/, `.${n}`);

/** Destinations of `ip -4 route show`, leaving out the default route, which covers everything and claims nothing. */
export const routedRanges = (routes: string): readonly string[] =>
  routes
    .split("\n")
    .map(
      (line) => /^(?:(?:unicast|local|blackhole|unreachable|prohibit) )?(\d+\.\d+\.\d+\.\d+(?:\/\d+)?)/.exec(line)?.[1],
    )
    .filter((range) => range !== undefined);
