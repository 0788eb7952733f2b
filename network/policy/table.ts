// The nftables table of policies as it should be, and the transaction that brings the kernel's there. Pure.
import type { Family } from "./addresses.ts";

/** A map that knows what of it was changed since it was last written. Values of sets are empty. */
export interface Journal {
  readonly entries: ReadonlyMap<string, string>;
  set(key: string, value: string): void;
  delete(key: string): void;
  /** Entries that are no longer as they were written, and those to be written; all of them unless it was written. */
  changes(isWritten: boolean): Changes;
  /** Regards everything as written. */
  settle(): void;
}
interface Changes {
  readonly gone: readonly string[];
  readonly added: readonly (readonly [key: string, value: string])[];
}

export function journal(): Journal {
  const entries = new Map<string, string>();
  const written = new Map<string, string | undefined>();
  const touch = (key: string): void => {
    if (!written.has(key)) written.set(key, entries.get(key));
  };
  return {
    entries,
    set(key, value) {
      touch(key);
      entries.set(key, value);
    },
    delete(key) {
      touch(key);
      entries.delete(key);
    },
    changes(isWritten) {
      if (!isWritten) return { gone: [], added: [...entries] };
      const changed = [...written].filter(([key, before]) => entries.get(key) !== before);
      return {
        gone: changed.flatMap(([key, before]) => (before === undefined ? [] : [key])),
        added: changed.flatMap(([key]) => (entries.has(key) ? [[key, entries.get(key)!] as const] : [])),
      };
    },
    settle: () => written.clear(),
  };
}

/** What the elements of a set are. */
export type SetType = "address" | "address and port";

/** The named objects of the table. Chains hold rules, one a line. */
export interface PolicyTable {
  readonly family: Family;
  /** Address of an isolated pod of this node to the verdict on what it receives or sends. */
  readonly ingress: Journal;
  readonly egress: Journal;
  /** `address . address` of isolated pods, which always reach themselves. */
  readonly selves: Journal;
  readonly chains: Journal;
  /** Set name to its type. */
  readonly sets: Journal;
  /** The elements of a set, which is created empty by its first use. */
  elements(set: string): Journal;
  /** Removes a set with its elements. */
  removeSet(name: string): void;
  /** The transaction that the kernel needs, empty if none: changes, or the complete table unless it was written. */
  transaction(isWritten: boolean): string;
  /** Regards everything as written. */
  settle(): void;
}

/** A table of our own: other programs have rules in the same kernel. */
export const tableName = "orrery_policy";

/**
 * Forwarded packets only: those between a pod and its own node always pass. Packets of a connection are judged again
 * and again in the direction in which it was opened, so that a new policy ends what it forbids; replies pass. Services
 * are translated before, and masqueraded after.
 */
const base = (family: Family): readonly string[] => {
  const [type, table] = [`${family === "ip" ? "ipv4" : "ipv6"}_addr`, `${family} ${tableName}`];
  const passing = ["ct state related accept", "ct state established ct direction reply accept"];
  const judge = (direction: string, side: string): readonly string[] =>
    [...passing, `${family} saddr . ${family} daddr @selves accept`, `${family} ${side} vmap @${direction}`].map(
      (rule) => `add rule ${table} ${direction} ${rule}`,
    );
  return [
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    `add set ${table} selves { type ${type} . ${type}; }`,
    `add map ${table} egress { type ${type} : verdict; }`,
    `add map ${table} ingress { type ${type} : verdict; }`,
    `add chain ${table} egress { type filter hook forward priority filter + 1; policy accept; }`,
    `add chain ${table} ingress { type filter hook forward priority filter + 2; policy accept; }`,
    ...judge("egress", "saddr"),
    ...judge("ingress", "daddr"),
  ];
};

/** The deletions and additions of a set or map. */
function elementChanges(table: string, name: string, { gone, added }: Changes) {
  const list = (action: string, elements: readonly string[]): readonly string[] =>
    elements.length === 0 ? [] : [`${action} element ${table} ${name} { ${elements.join(", ")} }`];
  return {
    drop: list("delete", gone),
    add: list(
      "add",
      added.map(([key, value]) => (value === "" ? key : `${key} : ${value}`)),
    ),
  };
}

function setType(family: Family, type: SetType): string {
  const address = `${family === "ip" ? "ipv4" : "ipv6"}_addr`;
  return type === "address" ? address : `${address} . inet_proto . inet_service`;
}

const linesOf = (rules: string): readonly string[] => (rules === "" ? [] : rules.split("\n"));

type Objects = Pick<PolicyTable, "family" | "ingress" | "egress" | "selves" | "chains" | "sets"> & {
  /** The elements of the sets that may have changed. */
  readonly touched: readonly (readonly [set: string, elements: Journal])[];
};

/** An object is added before, and deleted after, whatever refers to it. A changed element is deleted and added. */
function changesOf({ family, touched, ...objects }: Objects, isWritten: boolean): readonly string[] {
  const table = `${family} ${tableName}`;
  const chains = objects.chains.changes(isWritten);
  const sets = objects.sets.changes(isWritten);
  const added = new Set(chains.added.map(([name]) => name));
  const removed = chains.gone.filter((name) => !added.has(name));
  const present = new Set(chains.gone);
  const maps = (["egress", "ingress", "selves"] as const).map((name) =>
    elementChanges(table, name, objects[name].changes(isWritten)),
  );
  const filled = touched.map(([name, elements]) => elementChanges(table, name, elements.changes(isWritten)));
  return [
    ...maps.flatMap(({ drop }) => drop),
    ...sets.added.map(([name, type]) => `add set ${table} ${name} { type ${setType(family, type as SetType)}; }`),
    ...filled.flatMap(({ drop, add }) => [...drop, ...add]),
    ...chains.added.filter(([name]) => !present.has(name)).map(([name]) => `add chain ${table} ${name}`),
    ...chains.gone.map((name) => `flush chain ${table} ${name}`),
    ...chains.added.flatMap(([name, rules]) => linesOf(rules).map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...maps.flatMap(({ add }) => add),
    ...removed.map((name) => `delete chain ${table} ${name}`),
    ...sets.gone.map((name) => `delete set ${table} ${name}`),
  ];
}

/** An empty table. */
export function policyTable(family: Family): PolicyTable {
  const elementsBySet = new Map<string, Journal>();
  const touched = new Set<string>();
  const named = { ingress: journal(), egress: journal(), selves: journal(), chains: journal(), sets: journal() };
  const elementsOf = (set: string): Journal => {
    touched.add(set);
    const elements = elementsBySet.get(set) ?? journal();
    elementsBySet.set(set, elements);
    return elements;
  };
  return {
    family,
    ...named,
    elements: elementsOf,
    removeSet(name) {
      named.sets.delete(name);
      const elements = elementsOf(name);
      for (const element of elements.entries.keys()) elements.delete(element);
    },
    transaction(isWritten) {
      const changed = [...(isWritten ? touched : named.sets.entries.keys())]
        .filter((name) => named.sets.entries.has(name))
        .map((name) => [name, elementsOf(name)] as const);
      const changes = changesOf({ family, ...named, touched: changed }, isWritten);
      return [...(isWritten ? [] : base(family)), ...changes].map((line) => `${line}\n`).join("");
    },
    settle() {
      for (const one of Object.values(named)) one.settle();
      for (const set of touched) {
        elementsBySet.get(set)?.settle();
        if (!named.sets.entries.has(set)) elementsBySet.delete(set);
      }
      touched.clear();
    },
  };
}
