// The log, watched from outside: how long it takes to answer, and how much of every kind is in it.
import { Gauge, type Registry as Figures } from "prom-client";
import { isStored, qualified, type ResourceDefinition } from "../api/kinds.ts";
import type { Clock } from "../machinery/world.ts";
import { prefixOf } from "./registry/selection.ts";
import type { Storage, Write } from "./storage/storage.ts";
import { durations } from "./tallies.ts";

const operationOf = ({ expect, value }: Write): string =>
  value === null ? "delete" : expect === 0 ? "create" : "update";

/** The same log; what is asked of it is timed. */
export function timedStorage(storage: Storage, clock: Clock, figures: Figures): Storage {
  const help = "How long the log took to answer, by what was asked of it.";
  const durationOf = durations({ name: "etcd_request_duration_seconds", help }, figures);
  const timed = async <T>(operation: string, key: string, ask: () => Promise<T>): Promise<T> => {
    const began = clock.now();
    const answer = await ask();
    const [, group = "", resource = ""] = key.split("/", 3);
    durationOf({ operation, group, resource }).took(clock.now() - began);
    return answer;
  };
  return {
    ...storage,
    get: (key) => timed("get", key, () => storage.get(key)),
    list: (prefix, page) => timed("list", prefix, () => storage.list(prefix, page)),
    commit: (write) => timed(operationOf(write), write.key, () => storage.commit(write)),
  };
}

/** Counts the objects of every kind, whenever somebody asks. */
export function countObjects(storage: Storage, kinds: readonly ResourceDefinition[], figures: Figures): void {
  new Gauge({
    name: "apiserver_storage_objects",
    help: "Objects of every kind.",
    labelNames: ["resource"],
    registers: [figures],
    async collect() {
      for (const r of kinds.filter(isStored)) {
        const { entries, remaining } = await storage.list(prefixOf(r), { limit: 1 });
        this.set({ resource: qualified(r) }, entries.length + remaining);
      }
    },
  });
}
