// CIDR blocks and port ranges of policies as matches of nftables. Pure.
import { type Block, blockText, holdsAddress, parseBlock } from "../../api/addresses.ts";
import type { IPBlock, NetworkPolicyPort } from "../../api/generated/types.ts";
import { bitsOf, type Family } from "./addresses.ts";

/** One element as it is, several as a set. */
const listText = (elements: readonly string[]): string =>
  elements.length === 1 ? elements[0]! : `{ ${elements.join(", ")} }`;

/** nftables refuses intervals that overlap: a block within another is left out. */
function disjoint(blocks: readonly Block[]): readonly Block[] {
  const bySize = blocks.toSorted((a, b) => a.prefix - b.prefix);
  return bySize.filter((block, i) => !bySize.slice(0, i).some((outer) => holdsAddress(outer, block.address)));
}

/** What matches an address (`ip saddr`) within the block; undefined if no address of the family is. */
export function blockMatch({ cidr, except = [] }: IPBlock, address: string, family: Family): string | undefined {
  const block = parseBlock(cidr);
  if (block?.address.bits !== bitsOf(family)) return undefined;
  const excepted = disjoint(
    except.flatMap((text) => parseBlock(text) ?? []).filter((b) => b.address.bits === block.address.bits),
  );
  // nftables knows no block of everything.
  if (excepted.some(({ prefix }) => prefix === 0)) return undefined;
  const within = block.prefix === 0 ? [] : [`${address} ${blockText(block)}`];
  const outside = excepted.length === 0 ? [] : [`${address} != ${listText(excepted.map(blockText))}`];
  return [...within, ...outside].join(" ");
}

type Range = readonly [first: number, last: number];

/** Ranges that overlap or follow one another become one. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const previous = result.at(-1);
    if (previous && first <= previous[1] + 1) result[result.length - 1] = [previous[0], Math.max(previous[1], last)];
    else result.push([first, last]);
  }
  return result;
}

const rangeText = ([first, last]: Range): string => (first === last ? `${first}` : `${first}-${last}`);

/** Protocols that have ports. */
export const protocols = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;

/** What matches the numbered ports of a rule: one match for each protocol. */
export function portMatches(ports: readonly NetworkPolicyPort[]): readonly string[] {
  return Object.entries(protocols).flatMap(([name, protocol]) => {
    const own = ports.filter((p) => (p.protocol ?? "TCP") === name && typeof p.port !== "string");
    if (own.some(({ port }) => port === undefined)) return [`meta l4proto ${protocol}`];
    const ranges = merged(own.map(({ port, endPort }) => [port as number, endPort ?? (port as number)]));
    return ranges.length === 0 ? [] : [`${protocol} dport ${listText(ranges.map(rangeText))}`];
  });
}
