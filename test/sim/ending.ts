// What must be true when a life ends, after two minutes of peace: of objects of every kind, and of what is written.
import type { ApiObject } from "../../api/meta.ts";
import { objectOf } from "../../apiserver/registry/codec.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import type { Fact } from "./judge.ts";

/** Objects of which an owner is gone. */
export async function orphansLeft(storage: Storage): Promise<readonly string[]> {
  const { entries } = await storage.list("/");
  const all = entries.filter(({ key }) => !key.includes("/events/")).map((stored) => objectOf<ApiObject>(stored));
  const uids = new Set(all.map(({ metadata }) => metadata.uid));
  return all.flatMap(({ kind, metadata }) => {
    const missing = metadata.ownerReferences?.filter(({ uid }) => !uids.has(uid)) ?? [];
    return missing.map((owner) => `${kind} ${metadata.name} of ${owner.kind} ${owner.name}`);
  });
}

/** What is refused is tried again, ever later, and reported each time. */
const mostReports = 2;
/** Entries that expire, such as a budget's disrupted pods after two minutes, are removed by one late write. */
const mostWrites = 1;

/** A settled cluster writes heartbeats, and seldom an event about what is refused. */
export function hotLoops(): (fact: Fact) => string | undefined {
  const writes = new Map<string, number>();
  return ({ key }) => {
    if (key.includes("/leases/")) return undefined;
    const count = (writes.get(key) ?? 0) + 1;
    writes.set(key, count);
    return count > (key.includes("/events/") ? mostReports : mostWrites) ? key : undefined;
  };
}
