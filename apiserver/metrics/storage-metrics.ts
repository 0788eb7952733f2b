// The log, watched from outside: how long it takes to answer, and how much of every kind is in it.
import { Gauge, type Registry as Figures } from "prom-client";
import { namespaces } from "../../api/core/namespaces.ts";
import { isStored, qualified, type ResourceDefinition } from "../../api/kinds.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { Clock } from "../../machinery/world.ts";
import { prefixOf } from "../registry/selection.ts";
import type { Storage, Write } from "../storage/storage.ts";
import { byLabels, counts, distributions, durationBounds } from "../../machinery/counters.ts";

const operationOf = ({ expect, value }: Write): string =>
  value === null ? "delete" : expect === 0 ? "create" : "update";

/** The same log; what is asked of it is counted and timed. */
export function timedStorage(storage: Storage, clock: Clock, figures: Figures): Storage {
  const help = "How long the log took to answer, by what was asked of it.";
  const durationOf = distributions({ name: "etcd_request_duration_seconds", help, bounds: durationBounds }, figures);
  const counted = (name: string, said: string) => counts({ name, help: said }, figures);
  const askedOf = counted("etcd_requests_total", "What was asked of the log.");
  const failedOf = counted("etcd_request_errors_total", "What was asked of the log and not answered.");
  // All of one operation on one kind, looked up once.
  const series = byLabels((labels) => ({
    asked: askedOf(labels),
    failed: failedOf(labels),
    duration: durationOf(labels),
  }));
  const timed = async <T>(operation: string, key: string, ask: () => Promise<T>): Promise<T> => {
    const began = clock.now();
    const kind = key.slice(0, key.indexOf("/", key.indexOf("/", 1) + 1));
    const { asked, failed, duration } = series.at(`${operation}${kind}`, () => {
      const [, group = "", resource = ""] = kind.split("/");
      return { operation, group, resource };
    });
    asked.n++;
    try {
      return await ask();
    } catch (e) {
      failed.n++;
      throw e;
    } finally {
      duration.saw((clock.now() - began) / 1000);
    }
  };
  return {
    ...storage,
    get: (key) => timed("get", key, () => storage.get(key)),
    list: (prefix, page) => timed("list", prefix, () => storage.list(prefix, page)),
    commit: (write) => timed(operationOf(write), write.key, () => storage.commit(write)),
  };
}

/** Counts the objects of every kind, whenever somebody asks; under the name of old, and the one that took its place. */
export function countObjects(storage: Storage, kinds: Pick<KindRegistry, "all">, figures: Figures): void {
  const counted = (name: string, labelsOf: (r: ResourceDefinition) => Readonly<Record<string, string>>): Gauge =>
    new Gauge({
      name,
      help: "Objects of every kind.",
      labelNames: Object.keys(labelsOf(namespaces)),
      registers: [figures],
      async collect() {
        for (const r of kinds.all().filter(isStored)) {
          const { entries, remaining } = await storage.list(prefixOf(r), { limit: 1 });
          this.set(labelsOf(r), entries.length + remaining);
        }
      },
    });
  counted("apiserver_storage_objects", (r) => ({ resource: qualified(r) }));
  counted("apiserver_resource_objects", (r) => ({ group: r.group, resource: r.plural }));
}
