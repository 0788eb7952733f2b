// A model of the kernel's packet filter, as far as rules of policies use it: applies transactions of `nft` and judges
// packets. It refuses what the kernel refuses.
import { holdsAddress, parseAddress, parseBlock } from "../../api/addresses.ts";

export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: "tcp" | "udp" | "sctp" | "icmp";
  readonly port: number;
  /** What connection tracking knows; a new connection by default. */
  readonly state?: "new" | "established" | "reply" | "related";
}

interface Chain {
  /** Of a base chain. */
  readonly priority?: number;
  readonly rules: readonly string[];
}
interface Table {
  readonly elements: Map<string, Map<string, string>>;
  readonly chains: Map<string, Chain>;
}
type Tables = Map<string, Table>;

const copyOf = (tables: Tables): Tables =>
  new Map(
    [...tables].map(([name, { elements, chains }]) => [
      name,
      { elements: new Map([...elements].map(([set, of]) => [set, new Map(of)])), chains: new Map(chains) },
    ]),
  );

class Refused extends Error {}
function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Refused(what);
}

const chainsOf = (text: string): readonly string[] => text.match(/(?<=\b(?:jump|goto) )\w+/g) ?? [];
const setsOf = (text: string): readonly string[] => text.match(/(?<=@)\w+/g) ?? [];

/** Whether a rule or verdict of the table refers to a chain or set. */
function isReferred({ chains, elements }: Table, name: string, find: typeof chainsOf): boolean {
  const verdicts = [...elements.values()].flatMap((of) => [...of.values()]);
  return [...chains.values()]
    .flatMap(({ rules }) => rules)
    .concat(verdicts)
    .some((text) => find(text).includes(name));
}

function changeElements(elements: Map<string, string>, action: string, text: string): void {
  const items = text.replace(/^\{ /, "").replace(/ \}$/, "").split(", ");
  for (const item of items) {
    const [key = "", value = ""] = item.split(" : ");
    if (action === "delete") ensure(elements.delete(key), `delete ${key}`);
    else {
      ensure((elements.get(key) ?? value) === value, `${key} has another verdict`);
      elements.set(key, value);
    }
  }
}

function changeChain(table: Table, action: string, name: string, rest: string): void {
  const { chains } = table;
  if (action === "add") {
    const [, priority] = /hook forward priority filter \+ (\d+)/.exec(rest) ?? [];
    chains.set(name, { rules: chains.get(name)?.rules ?? [], ...(priority && { priority: Number(priority) }) });
    return;
  }
  ensure(chains.has(name), `no chain ${name}`);
  if (action === "flush") chains.set(name, { ...chains.get(name), rules: [] });
  else {
    ensure(!isReferred(table, name, chainsOf), `chain ${name} is in use`);
    chains.delete(name);
  }
}

function change(tables: Tables, line: string): void {
  const [, action = "", what, family, tableName, name = "", rest = ""] =
    /^(add|delete|flush) (\w+) (ip6?) (\w+) ?(\S*) ?(.*)$/.exec(line) ?? [];
  const key = `${family} ${tableName}`;
  if (what === "table") {
    if (action === "delete") ensure(tables.delete(key), `no table ${key}`);
    else tables.set(key, tables.get(key) ?? { elements: new Map(), chains: new Map() });
    return;
  }
  const table = tables.get(key);
  ensure(table !== undefined, `no table ${key}`);
  const { elements, chains } = table;
  if (what === "chain") changeChain(table, action, name, rest);
  else if (what === "rule") {
    ensure(chains.has(name), `no chain ${name}`);
    for (const chain of chainsOf(rest)) ensure(chains.has(chain), `no chain ${chain}`);
    for (const set of setsOf(rest)) ensure(elements.has(set), `no set ${set}`);
    chains.set(name, { ...chains.get(name), rules: [...chains.get(name)!.rules, rest] });
  } else if (what === "element") {
    ensure(elements.has(name), `no set ${name}`);
    for (const chain of chainsOf(rest)) ensure(chains.has(chain), `no chain ${chain}`);
    changeElements(elements.get(name)!, action, rest);
  } else if (action === "add") elements.set(name, elements.get(name) ?? new Map());
  else {
    ensure(!isReferred(table, name, setsOf), `set ${name} is in use`);
    ensure(elements.delete(name), `no set ${name}`);
  }
}

const listed = (text: string): readonly string[] =>
  text
    .replace(/[{}]/g, "")
    .split(",")
    .map((one) => one.trim());
const isWithin = (text: string, address: string): boolean =>
  listed(text).some((one) => {
    const [block, parsed] = [parseBlock(one), parseAddress(address)];
    return block !== undefined && parsed !== undefined && holdsAddress(block, parsed);
  });
const isInRange = (text: string, port: number): boolean =>
  listed(text).some((one) => {
    const [first, last = first] = one.split("-").map(Number);
    return first! <= port && port <= last!;
  });

type Matcher = (found: readonly string[], packet: Packet, table: Table) => boolean;
const side = (name: string | undefined, packet: Packet): string =>
  name === "saddr" ? packet.source : packet.destination;
const hasPorts = ({ protocol }: Packet): boolean => protocol !== "icmp";
/** Matches at the beginning of a rule. */
const matchers: readonly (readonly [RegExp, Matcher])[] = [
  [/^ct state (\w+)/, ([, s], { state = "new" }) => s === (state === "reply" ? "established" : state)],
  [/^ct direction reply/, (_, { state }) => state === "reply"],
  [/^ip6? saddr \. ip6? daddr @(\w+)/, ([, set], p, t) => t.elements.get(set!)!.has(`${p.source} . ${p.destination}`)],
  [
    /^ip6? daddr \. meta l4proto \. th dport @(\w+)/,
    ([, set], p, t) => hasPorts(p) && t.elements.get(set!)!.has(`${p.destination} . ${p.protocol} . ${p.port}`),
  ],
  [/^ip6? ([sd]addr) @(\w+)/, ([, name, set], p, t) => t.elements.get(set!)!.has(side(name, p))],
  [/^ip6? ([sd]addr) != (\{[^}]*\}|\S+)/, ([, name, blocks], p) => !isWithin(blocks!, side(name, p))],
  [/^ip6? ([sd]addr) ([\da-f]\S*)/, ([, name, block], p) => isWithin(block!, side(name, p))],
  [/^meta l4proto (\w+)/, ([, protocol], p) => p.protocol === protocol],
  [
    /^(tcp|udp|sctp) dport (\{[^}]*\}|\S+)/,
    ([, protocol, ports], p) => p.protocol === protocol && isInRange(ports!, p.port),
  ],
];

/** The verdict of a chain, undefined at its end. */
function verdictOf(table: Table, name: string, packet: Packet): "accept" | "drop" | undefined {
  for (const rule of table.chains.get(name)!.rules) {
    const verdict = outcome(table, rule, packet);
    if (verdict === "accept" || verdict === "drop") return verdict;
    const [, kind, chain] = /^(jump|goto) (\w+)$/.exec(verdict ?? "") ?? [];
    if (chain === undefined) continue;
    const inner = verdictOf(table, chain, packet);
    if (inner !== undefined || kind === "goto") return inner;
  }
  return undefined;
}

/** What a rule says about a packet; undefined if it does not match. */
function outcome(table: Table, rule: string, packet: Packet): string | undefined {
  let rest = rule;
  for (;;) {
    const [, name, map] = /^ip6? ([sd]addr) vmap @(\w+)$/.exec(rest) ?? [];
    if (map !== undefined) return table.elements.get(map)!.get(side(name, packet));
    if (/^(accept|drop|(jump|goto) \w+)$/.test(rest)) return rest;
    const [form, matcher] = matchers.find(([pattern]) => pattern.test(rest)) ?? [];
    if (!form || !matcher) throw new Error(`the model does not know ${rest}`);
    const found = form.exec(rest)!;
    if (!matcher(found, packet, table)) return undefined;
    rest = rest.slice(found[0].length).trimStart();
  }
}

export interface PacketFilter {
  /** Carries out a transaction, or throws and changes nothing. */
  transact(text: string): void;
  /** Whether a forwarded packet passes. */
  passes(packet: Packet): boolean;
  /** Names of the tables, as `nft list tables` prints them. */
  list(): string;
  /** The content of all tables, for comparison. */
  content(): unknown;
}

export function packetFilter(): PacketFilter {
  let tables: Tables = new Map();
  return {
    transact(text) {
      const next = copyOf(tables);
      for (const line of text.split("\n")) if (line !== "") change(next, line);
      tables = next;
    },
    passes(packet) {
      const table = tables.get(`${packet.source.includes(":") ? "ip6" : "ip"} orrery_policy`);
      if (!table) return true;
      return [...table.chains]
        .filter(([, { priority }]) => priority !== undefined)
        .toSorted(([, a], [, b]) => a.priority! - b.priority!)
        .every(([name]) => verdictOf(table, name, packet) !== "drop");
    },
    list: () => [...tables.keys()].map((name) => `table ${name}\n`).join(""),
    content: () =>
      [...tables]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { elements, chains }]) => ({
          name,
          elements: Object.fromEntries([...elements].toSorted().map(([set, of]) => [set, [...of].toSorted()])),
          chains: Object.fromEntries([...chains].toSorted()),
        })),
  };
}
