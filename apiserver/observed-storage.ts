// The log, watched from outside: how long it takes to answer, and how much of every kind is in it.
import { Gauge, Histogram, type Registry as Figures } from "prom-client";
import { isStored, qualified, type ResourceDefinition } from "../api/kinds.ts";
import type { Clock } from "../machinery/world.ts";
import { prefixOf } from "./registry/selection.ts";
import type { Storage, Write } from "./storage/storage.ts";

const operationOf = ({ expect, value }: Write): string =>
  value === null ? "delete" : expect === 0 ? "create" : "update";

/** The same log; what is asked of it is timed. */
export function timedStorage(storage: Storage, clock: Clock, figures: Figures): Storage {
  const duration = new Histogram({
    name: "etcd_request_duration_seconds",
    help: "How long the log took to answer, by what was asked of it.",
    labelNames: ["operation", "group", "resource"],
    buckets: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
    registers: [figures],
  });
  const timed = async <T>(operation: string, key: string, ask: () => Promise<T>): Promise<T> => {
    const began = clock.now();
    const answer = await ask();
    const [, group = "", resource = ""] = key.split("/", 3);
    duration.observe({ operation, group, resource }, (clock.now() - began) / 1000);
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
