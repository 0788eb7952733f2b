// Why keys were enqueued, and the last decisions of every controller about every key, in a bounded store: what
// `orrery why` and the dashboard read.
import type { DecisionRecord, Reason } from "../api/explanation/decisions.ts";
import { type ApiObject, type Key, keyOf, revisionOf } from "../api/meta.ts";
import type { ChangeType } from "./view.ts";

/** The reason a change of an object gives. */
export const reasonOf = (type: ChangeType, object: ApiObject): Reason => ({
  type,
  kind: object.kind,
  key: keyOf(object),
  revision: revisionOf(object),
});

/** Reasons kept per key. What is beyond is dropped, oldest first. */
const limit = 8;

const sameSource = (a: Reason, b: Reason): boolean =>
  a.type === b.type && (!("key" in a) || ("key" in b && a.key === b.key && a.kind === b.kind));

/** Reasons by key, from when the key is enqueued to when it is worked on. */
export interface Reasons {
  /** A later change of the same object replaces the earlier one of the same type. */
  add(key: Key, reason: Reason): void;
  /** Returns and clears the reasons of a key; a key without one was due again. */
  take(key: Key): readonly Reason[];
}

/** No reasons yet. */
export function newReasons(): Reasons {
  const pending = new Map<Key, Reason[]>();
  return {
    add(key, reason) {
      const known = pending.get(key);
      if (!known) return void pending.set(key, [reason]);
      const at = known.findIndex((other) => sameSource(other, reason));
      if (at >= 0) known[at] = reason;
      else known.push(reason);
      if (known.length > limit) known.shift();
    },
    take(key) {
      const reasons = pending.get(key) ?? [{ type: "scheduled" }];
      pending.delete(key);
      return reasons;
    },
  };
}

/** The sink decisions go to, and where they are read. */
export interface DecisionLog {
  record(decision: Omit<DecisionRecord, "count">): void;
  /** The decisions about a key, of one controller or of all, oldest first. */
  of(key: Key, controller?: string): readonly DecisionRecord[];
}

/** Bounds of a {@link DecisionLog}. Bytes are estimated from the lengths of the texts. */
interface DecisionLimits {
  readonly perKey: number;
  readonly keys: number;
  readonly bytes: number;
}
const defaults: DecisionLimits = { perKey: 8, keys: 20_000, bytes: 16 * 1024 * 1024 };

/** What a record costs without its texts. */
const recordBytes = 200;
const sizeOf = ({ because, actions, reasons, error = "" }: DecisionRecord): number =>
  recordBytes + [...because, ...actions, error].reduce((sum, { length }) => sum + length, 0) + reasons.length * 100;

const isSame = (a: DecisionRecord | undefined, b: Omit<DecisionRecord, "count">): boolean =>
  a !== undefined && a.actions.length === 0 && b.actions.length === 0 && `${a.because}` === `${b.because}`;

interface Entry {
  readonly controller: string;
  readonly key: Key;
  readonly records: DecisionRecord[];
}

/** The share of a bound that is evicted at once: finding the first entry of a Map takes a step for each removed one. */
const evictedShare = 1 / 16;

/** An empty log. Above a bound, the least recently decided keys are evicted. */
export function decisionLog(limits: DecisionLimits = defaults): DecisionLog {
  // In the order of the last decision: the first is evicted next.
  const entries = new Map<string, Entry>();
  const controllersOf = new Map<Key, Set<string>>();
  let bytes = 0;
  const idOf = (controller: string, key: Key): string => `${controller} ${key}`;
  const remove = ({ records }: Entry, index: number): void => {
    for (const record of records.splice(index, 1)) bytes -= sizeOf(record);
  };
  const evict = (id: string, entry: Entry): void => {
    entries.delete(id);
    while (entry.records.length > 0) remove(entry, 0);
    const controllers = controllersOf.get(entry.key);
    if (controllers?.delete(entry.controller) && controllers.size === 0) controllersOf.delete(entry.key);
  };
  const isAbove = (share: number): boolean =>
    entries.size > Math.ceil(share * limits.keys) || bytes > Math.ceil(share * limits.bytes);
  const evictOldest = (): void => {
    for (const [oldest, other] of entries) {
      if (!isAbove(1 - evictedShare)) break;
      evict(oldest, other);
    }
  };
  return {
    record(decision) {
      const { controller, key } = decision;
      const id = idOf(controller, key);
      const entry = entries.get(id) ?? { controller, key, records: [] };
      entries.delete(id);
      entries.set(id, entry);
      controllersOf.set(key, (controllersOf.get(key) ?? new Set()).add(controller));
      const last = entry.records.at(-1);
      const isRepeated = isSame(last, decision);
      if (isRepeated) remove(entry, entry.records.length - 1);
      const record = { ...decision, count: isRepeated ? last!.count + 1 : 1 };
      entry.records.push(record);
      bytes += sizeOf(record);
      if (entry.records.length > limits.perKey) remove(entry, 0);
      if (isAbove(1)) evictOldest();
    },
    of(key, controller) {
      const controllers = controller === undefined ? [...(controllersOf.get(key) ?? [])] : [controller];
      return controllers.flatMap((name) => entries.get(idOf(name, key))?.records ?? []).toSorted((a, b) => a.at - b.at);
    },
  };
}
