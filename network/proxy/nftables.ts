// The ruleset as input of `nft`: the complete table at the start, then only the changes. Pure.
import { sameJson } from "../../api/hash.ts";
import type { Ruleset } from "./rules.ts";

export interface Ranges {
  readonly pods: string;
  readonly services: string;
  readonly dns: string;
}
/** A table of our own: other programs have rules in the same kernel. */
const table = "ip orrery";

const elements = (map: ReadonlyMap<string, string>): string =>
  map.size === 0 ? "" : `elements = { ${[...map].map(([k, v]) => `${k} : ${v}`).join(", ")} }`;

// Only nodes have routes to pods, so what leaves the pods' range is masqueraded. A host port of 127.0.0.1 needs
// route_localnet, and then packets from other hosts to 127.0.0.0/8 must be dropped (CVE-2020-8558).
const base = ({ pods, services, dns }: Ranges): string => `
  chain services {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local meta l4proto { tcp, udp } dnat ip addr . port to ip daddr . meta l4proto . th dport map @hostaddressports
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto { tcp, udp } dnat ip addr . port to meta l4proto . th dport map @hostports
    ip daddr 127.0.0.1 meta l4proto { tcp, udp } dnat ip addr . port to meta l4proto . th dport map @hostports
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @nodeports
  }
  chain loopback { type filter hook prerouting priority raw; iifname != "lo" ip daddr 127.0.0.0/8 drop; }
  chain prerouting { type nat hook prerouting priority dstnat; jump services; }
  chain output { type nat hook output priority -100; jump services; }
  chain postrouting {
    type nat hook postrouting priority srcnat
    meta mark and 0x4000 != 0 meta mark set meta mark xor 0x4000 masquerade
    ct status dnat ip saddr . ip daddr @hairpins masquerade
    ct status dnat ip saddr 127.0.0.0/8 masquerade
    ip saddr ${pods} ip daddr != ${pods} masquerade
  }
  chain reject_unserved {
    ip daddr ${dns} return
    ip daddr ${services} meta l4proto tcp reject with tcp reset
    ip daddr ${services} reject
  }
  chain forward { type filter hook forward priority filter; ct state invalid drop; jump reject_unserved; }
  chain local { type filter hook output priority filter; jump reject_unserved; }`;

/** Replaces the table in one transaction. */
export function wholeTable(rules: Ruleset, ranges: Ranges): string {
  const sets = [...rules.sets].map(([name, definition]) => `  set ${name} { ${definition} }`);
  const chains = [...rules.chains].map(([name, lines]) => `  chain ${name} {\n    ${lines.join("\n    ")}\n  }`);
  const hairpins = rules.hairpins.size === 0 ? "" : `elements = { ${[...rules.hairpins].join(", ")} }`;
  return `table ${table}
delete table ${table}
table ${table} {
  set hairpins { type ipv4_addr . ipv4_addr; ${hairpins} }
  map services { type ipv4_addr . inet_proto . inet_service : verdict; ${elements(rules.services)} }
  map nodeports { type inet_proto . inet_service : verdict; ${elements(rules.nodePorts)} }
  map hostports { type inet_proto . inet_service : ipv4_addr . inet_service; ${elements(rules.hostPorts)} }
  map hostaddressports { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; ${elements(rules.hostAddressPorts)} }
${[...sets, ...chains].join("\n")}${base(ranges)}
}
`;
}

type Change = readonly string[];
type Named<V> = ReadonlyMap<string, V>;
const addedTo = <V>(before: Named<V>, next: Named<V>): readonly (readonly [string, V])[] =>
  [...next].filter(([k]) => !before.has(k));
const changedIn = <V>(before: Named<V>, next: Named<V>): readonly (readonly [string, V])[] =>
  [...next].filter(([k, v]) => before.has(k) && !sameJson(before.get(k), v));

/** An element cannot be overwritten: it is deleted and added again, within the one transaction. */
function mapChanges(name: string, before: Named<string>, next: Named<string>): Record<"drop" | "add", Change> {
  const changed = changedIn(before, next);
  const gone = [...before].filter(([k]) => !next.has(k));
  const drop = [...gone.map(([k]) => k), ...changed.map(([k]) => k)];
  const add = [...addedTo(before, next), ...changed];
  return {
    drop: drop.length === 0 ? [] : [`delete element ${table} ${name} { ${drop.join(", ")} }`],
    add: add.length === 0 ? [] : [`add element ${table} ${name} { ${add.map(([k, v]) => `${k} : ${v}`).join(", ")} }`],
  };
}

function hairpinChanges(before: ReadonlySet<string>, next: ReadonlySet<string>): Change {
  const [gone, come] = [before.difference(next), next.difference(before)];
  return [
    ...(gone.size === 0 ? [] : [`delete element ${table} hairpins { ${[...gone].join(", ")} }`]),
    ...(come.size === 0 ? [] : [`add element ${table} hairpins { ${[...come].join(", ")} }`]),
  ];
}

/**
 * The transaction that turns one ruleset into another; empty when they are equal. Its order follows the references:
 * an object is added before, and deleted after, whatever refers to it.
 */
export function changesBetween(before: Ruleset, next: Ruleset): string {
  const maps = [
    mapChanges("services", before.services, next.services),
    mapChanges("nodeports", before.nodePorts, next.nodePorts),
    mapChanges("hostports", before.hostPorts, next.hostPorts),
    mapChanges("hostaddressports", before.hostAddressPorts, next.hostAddressPorts),
  ];
  const newSets = addedTo(before.sets, next.sets).map(
    ([name, definition]) => `add set ${table} ${name} { ${definition} }`,
  );
  const newChains = addedTo(before.chains, next.chains);
  const filled = [...newChains, ...changedIn(before.chains, next.chains)];
  const deadChains = [...before.chains.keys()].filter((name) => !next.chains.has(name));
  const deadSets = [...before.sets.keys()].filter((name) => !next.sets.has(name));
  return [
    ...maps.flatMap((m) => m.drop),
    ...newSets,
    ...newChains.map(([name]) => `add chain ${table} ${name}`),
    ...[...filled.map(([name]) => name), ...deadChains].map((name) => `flush chain ${table} ${name}`),
    ...filled.flatMap(([name, lines]) => lines.map((line) => `add rule ${table} ${name} ${line}`)),
    ...maps.flatMap((m) => m.add),
    ...deadChains.map((name) => `delete chain ${table} ${name}`),
    ...deadSets.map((name) => `delete set ${table} ${name}`),
    ...hairpinChanges(before.hairpins, next.hairpins),
  ].join("\n");
}
