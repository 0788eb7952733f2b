// The server's metrics, in Prometheus' text and under Kubernetes' names: requests, calls of the storage, objects, and
// the process.
import type { IncomingHttpHeaders } from "node:http";
import { Gauge, Registry as MetricsRegistry, collectDefaultMetrics } from "prom-client";
import { type ResourceDefinition, isStored, qualified } from "../../api/kinds.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { RequestInfo } from "../authorization/authorizer.ts";
import type { Extension } from "../request/request-response.ts";
import { type About, requestInstruments } from "./request-metrics.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import type { Clock } from "../../machinery/world.ts";
import { prefixOf } from "../registry/codec.ts";
import type { Storage, Write } from "../storage/storage.ts";
import { byLabels, counts, distributions, durationBounds } from "../../machinery/counters.ts";

/** A request between its beginning and its end. */
export interface InFlight {
  /** A part of a stream was sent. */
  onChunk(part: Buffer | string): void;
  /** Its answer is a stream, which may last. */
  becomeLongRunning(): void;
  /** With so many bytes, where they were counted. */
  end(code: number, ms: number, bytes?: number): void;
}
/** What of a request is counted, beside what it would do. */
export interface Counted {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}
/** Counts what the server does. */
export interface RequestMetrics {
  readonly registry: MetricsRegistry;
  readonly serve: Extension;
  begin(request: Counted, attributes: RequestInfo): InFlight;
}

const methods: readonly string[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** Parts that are connections rather than objects. */
const connections: readonly string[] = ["log", "exec", "portforward", "attach", "proxy"];

/** The verb label: LIST, WATCH, APPLY or CONNECT, else the method. */
function verbOf({ method, headers }: Counted, { verb, subresource = "" }: RequestInfo): string {
  if (connections.includes(subresource)) return "CONNECT";
  if (verb === "watch" || verb === "list") return verb.toUpperCase();
  if (method === "PATCH" && headers["content-type"]?.startsWith("application/apply-patch")) return "APPLY";
  if (method === "HEAD") return "GET";
  return methods.includes(method) ? method : "other";
}
/** How much a request was about: one object, a namespace, or everything. */
function scopeOf({ verb, resource, name, namespace }: RequestInfo): string {
  if (name !== undefined || verb === "create") return "resource";
  if (namespace !== undefined) return "namespace";
  return resource === undefined ? "" : "cluster";
}
const healthPath = /^\/(livez|readyz|healthz)$/;

/** Only what is served has a name here: what strangers make up must not become figures that are kept for ever. */
function labelsOf(r: ResourceDefinition | undefined, request: Counted, attributes: RequestInfo): About {
  const { path = "", subresource: part = "" } = attributes;
  const { group = "", version = "", resource: plural = "" } = attributes;
  const [verb, scope, component] = [verbOf(request, attributes), r ? scopeOf(attributes) : "", "apiserver"];
  if (!r) return { verb, ...nothing, subresource: healthPath.test(path) ? path : "", scope, component };
  const subresource = (r.subresources as readonly string[]).includes(part) ? part : "";
  return { verb, group, version, resource: plural, subresource, scope, component };
}
const nothing = { group: "", version: "", resource: "" };

/** Figures of one server. */
export function requestMetrics(
  kinds: Pick<KindRegistry, "of">,
  componentMetrics: () => Promise<string> = async () => "",
): RequestMetrics {
  const registry = new MetricsRegistry();
  collectDefaultMetrics({ register: registry });
  const { inflight, longRunning, deprecated, outcomeOf, watchEventsOf } = requestInstruments(registry);
  return {
    registry,
    async serve({ path, method }) {
      if (path !== "/metrics" || method !== "GET") return undefined;
      const body = `${await registry.metrics()}${await componentMetrics()}`;
      return { status: 200, body, headers: { "content-type": registry.contentType } };
    },
    begin(request, attributes) {
      const { group = "", version = "", resource: plural = "" } = attributes;
      const r = kinds.of({ group, version, plural });
      const labels = labelsOf(r, request, attributes);
      const kind = request.method === "GET" || request.method === "HEAD" ? "readOnly" : "mutating";
      inflight[kind]++;
      let watchEvents: ReturnType<typeof watchEventsOf> | undefined;
      let leave = (): void => void inflight[kind]--;
      return {
        onChunk: (part) => watchEvents?.onChunk(Buffer.byteLength(part)),
        becomeLongRunning() {
          leave();
          longRunning.inc(labels);
          leave = () => longRunning.dec(labels);
          const { verb, resource } = labels;
          if (verb === "WATCH") watchEvents = watchEventsOf({ group: labels.group, version: labels.version, resource });
        },
        end(code, ms, bytes = 0) {
          leave();
          outcomeOf(labels, request.url.includes("dryRun=All") ? "All" : "", code).end(ms, bytes);
          const { resource, subresource } = labels;
          if (r?.deprecated !== undefined)
            deprecated.set({ group, version, resource, subresource, removed_release: "" }, 1);
        },
      };
    },
  };
}

const operationOf = ({ expect, value }: Write): string =>
  value === null ? "delete" : expect === 0 ? "create" : "update";

/** The storage, with its calls counted and timed. */
export function timedStorage(storage: Storage, clock: Clock, registry: MetricsRegistry): Storage {
  const help = "How long the log took to answer, by what was asked of it.";
  const durationOf = distributions({ name: "etcd_request_duration_seconds", help, bounds: durationBounds }, registry);
  const counted = (name: string, help: string) => counts({ name, help: help }, registry);
  const requestsOf = counted("etcd_requests_total", "What was asked of the log.");
  const failedOf = counted("etcd_request_errors_total", "What was asked of the log and not answered.");
  // All of one operation on one kind, looked up once.
  const series = byLabels((labels) => ({
    requests: requestsOf(labels),
    failed: failedOf(labels),
    duration: durationOf(labels),
  }));
  const timed = async <T>(operation: string, key: string, ask: () => Promise<T>): Promise<T> => {
    const began = clock.now();
    const kind = key.slice(0, key.indexOf("/", key.indexOf("/", 1) + 1));
    const { requests, failed, duration } = series.at(`${operation}${kind}`, () => {
      const [, group = "", resource = ""] = kind.split("/");
      return { operation, group, resource };
    });
    requests.n++;
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

/** Counts the objects of every kind on scrape, under the deprecated metric name and its replacement. */
export function countObjects(storage: Storage, kinds: Pick<KindRegistry, "all">, registry: MetricsRegistry): void {
  const counted = (name: string, labelsOf: (r: ResourceDefinition) => Readonly<Record<string, string>>): Gauge =>
    new Gauge({
      name,
      help: "Objects of every kind.",
      labelNames: Object.keys(labelsOf(namespaces)),
      registers: [registry],
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
