// The ruleset as text for `nft`: whole for a node that starts, and as the smallest change for one that runs. Pure.
import { sameJson } from "../../api/hash.ts";
import type { Ruleset } from "./rules.ts";

export interface Ranges {
  readonly pods: string;
  readonly services: string;
  readonly dns: string;
}
/** A table of our own: others keep rules in the same kernel, and none of ours may touch them. */
const table = "ip orrery";

const elements = (map: ReadonlyMap<string, string>): string =>
  map.size === 0 ? "" : `elements = { ${[...map].map(([k, v]) => `${k} : ${v}`).join(", ")} }`;

// Pods know each other by their own addresses. Nobody else has a way back to them, not even the control plane: what
// leaves the pods' range goes out in the node's name.
const base = ({ pods, services, dns }: Ranges): string => `
  chain services {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto { tcp, udp } dnat ip addr . port to meta l4proto . th dport map @hostports
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @nodeports
  }
  chain prerouting { type nat hook prerouting priority dstnat; jump services; }
  chain output { type nat hook output priority -100; jump services; }
  chain postrouting {
    type nat hook postrouting priority srcnat
    meta mark and 0x4000 != 0 meta mark set meta mark xor 0x4000 masquerade
    ct status dnat ip saddr . ip daddr @hairpins masquerade
    ip saddr ${pods} ip daddr != ${pods} masquerade
  }
  chain unanswered {
    ip daddr ${dns} return
    ip daddr ${services} meta l4proto tcp reject with tcp reset
    ip daddr ${services} reject
  }
  chain forward { type filter hook forward priority filter; jump unanswered; }
  chain local { type filter hook output priority filter; jump unanswered; }`;

/** Replaces whatever the table held, in one transaction: no packet sees half of it. */
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
${[...sets, ...chains].join("\n")}${base(ranges)}
}
`;
}

type Change = readonly string[];
const addedTo = <V>(before: ReadonlyMap<string, V>, next: ReadonlyMap<string, V>): readonly (readonly [string, V])[] =>
  [...next].filter(([k]) => !before.has(k));
const changedIn = <V>(
  before: ReadonlyMap<string, V>,
  next: ReadonlyMap<string, V>,
): readonly (readonly [string, V])[] => [...next].filter(([k, v]) => before.has(k) && !sameJson(before.get(k), v));

/** An element cannot be overwritten: it goes and comes back, within the one transaction. */
function mapChanges(
  name: string,
  before: ReadonlyMap<string, string>,
  next: ReadonlyMap<string, string>,
): { readonly drop: Change; readonly add: Change } {
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
 * The transaction that turns one ruleset into another; empty when they are the same. Nothing may be removed while
 * something still refers to it, nor referred to before it is there: hence the order.
 */
export function changesBetween(before: Ruleset, next: Ruleset): string {
  const maps = [
    mapChanges("services", before.services, next.services),
    mapChanges("nodeports", before.nodePorts, next.nodePorts),
    mapChanges("hostports", before.hostPorts, next.hostPorts),
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

/**
 * Pods that UDP flows were sent to and no longer are: the kernel would keep sending there until the flow falls
 * silent.
 */
export function strandedUdp(before: Ruleset, next: Ruleset): readonly string[] {
  const targets = (r: Ruleset): ReadonlySet<string> =>
    new Set(
      [...r.chains.values()]
        .flat()
        .filter((l) => l.startsWith("meta l4proto udp"))
        .flatMap((l) => l.match(/\d+\.\d+\.\d+\.\d+/g) ?? []),
    );
  return [...targets(before).difference(targets(next))];
}
