// The server's metrics, in Prometheus' text and under Kubernetes' names: requests, calls of the storage, objects, and
// the process.
import { Gauge, Registry as MetricsRegistry, collectDefaultMetrics } from "prom-client";
import { type Count, byLabels, counts, distributions, durationBounds } from "../../machinery/counters.ts";
import { version } from "../discovery/version.ts";
import type { IncomingHttpHeaders } from "node:http";
import { type ResourceDefinition, isStored, qualified } from "../../api/kinds.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { RequestInfo } from "../authorization/authorizer.ts";
import type { Extension } from "../request/request-response.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import type { Clock } from "../../machinery/world.ts";
import { prefixOf } from "../registry/codec.ts";
import { subresources } from "../registry/strategies/table.ts";
import type { Storage, Write } from "../storage/storage.ts";

/** Labels of request metrics. */
const about = ["verb", "group", "version", "resource", "subresource", "scope", "component"] as const;
type About = Readonly<Record<(typeof about)[number], string>>;
type Labels = Readonly<Record<string, string>>;

const powers = (base: number, factor: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => base * factor ** i);
/** From a thousand bytes to a thousand millions. */
const sizeBounds = powers(1000, 10, 7);
const eventSizeBounds = powers(1024, 2, 8);
/** Buckets for the SLI, which begins at 50 ms. */
const promisedBounds = durationBounds.filter((bound) => bound >= 0.05);

/** The key of a set of labels. */
const placeOf = ({ verb, group, version, resource, subresource, scope }: About, dryRun: string, code: number): string =>
  `${verb}/${group}/${version}/${resource}/${subresource}/${scope}/${dryRun}/${code}`;

/** Metrics of requests with equal labels, and of watches of one kind. */
function requestSeries(registry: MetricsRegistry) {
  const count = (name: string, help: string): ((labels: Labels) => Count) => counts({ name, help }, registry);
  const histogram = (name: string, help: string, bounds: readonly number[]) =>
    distributions({ name, help, bounds }, registry);
  const took = "How long requests took, from their first byte to their last";
  const requests = count("apiserver_request_total", "Requests by verb, resource and response code.");
  const duration = histogram("apiserver_request_duration_seconds", `${took}.`, durationBounds);
  const promised = histogram(
    "apiserver_request_sli_duration_seconds",
    `${took}, as promises count it.`,
    promisedBounds,
  );
  const sizes = histogram("apiserver_response_sizes", "How large the answers are to those who read.", sizeBounds);
  const events = count("apiserver_watch_events_total", "Events sent to watchers.");
  const eventSizes = histogram("apiserver_watch_events_sizes", "How large events are.", eventSizeBounds);
  const outcomes = byLabels((labels: Labels) => {
    const { code: _, dry_run, ...subject } = labels;
    const [ended, elapsed] = [requests(labels), duration({ ...subject, dry_run: dry_run! })];
    const kept = dry_run === "" ? promised(subject) : undefined;
    const size = subject["verb"] === "GET" || subject["verb"] === "LIST" ? sizes(subject) : undefined;
    return {
      end(ms: number, bytes: number) {
        ended.n++;
        elapsed.saw(ms / 1000);
        kept?.saw(ms / 1000);
        size?.saw(bytes);
      },
    };
  });
  const watches = byLabels((labels: Labels) => {
    const [sent, size] = [events(labels), eventSizes(labels)];
    return {
      onChunk(bytes: number) {
        sent.n++;
        size.saw(bytes);
      },
    };
  });
  const outcomeOf = (subject: About, dryRun: string, code: number) =>
    outcomes.at(placeOf(subject, dryRun, code), () => ({ ...subject, dry_run: dryRun, code: `${code}` }));
  return { outcomeOf, watchEventsOf: watches.of };
}

/** The version of the API as a metric. */
function buildInfo(registry: MetricsRegistry): void {
  const { gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform, major, minor } = version;
  const labels = {
    ...{ build_date: buildDate, compiler, git_commit: gitCommit, git_tree_state: gitTreeState },
    ...{ git_version: gitVersion, go_version: goVersion, major, minor, platform },
  };
  const help = "Which version of the API this server speaks.";
  const name = "kubernetes_build_info";
  new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set(labels, 1);
}

/** The metrics of requests of one server. */
function requestInstruments(registry: MetricsRegistry) {
  buildInfo(registry);
  const inflight = { readOnly: 0, mutating: 0 };
  new Gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests under way at this moment, streams aside.",
    labelNames: ["request_kind"],
    registers: [registry],
    collect() {
      for (const [kind, count] of Object.entries(inflight)) this.set({ request_kind: kind }, count);
    },
  });
  const longRunning = new Gauge({
    name: "apiserver_longrunning_requests",
    help: "Watches and other streams open at this moment.",
    labelNames: about,
    registers: [registry],
  });
  const deprecated = new Gauge({
    name: "apiserver_requested_deprecated_apis",
    help: "Deprecated kinds that were requested.",
    labelNames: ["group", "version", "resource", "subresource", "removed_release"],
    registers: [registry],
  });
  return {
    inflight,
    longRunning,
    deprecated,
    ...requestSeries(registry),
  };
}

/** A request between its beginning and its end. */
export interface InFlight {
  /** A part of a stream was sent. */
  onChunk(part: Buffer | string): void;
  /** Its response is a stream, which may last. */
  becomeLongRunning(): void;
  /** With so many bytes, where they were counted. */
  end(code: number, ms: number, bytes?: number): void;
}
/** What is counted of a request, beside its attributes. */
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
/** Subresources that are connections rather than objects. */
const connections = Object.entries(subresources).flatMap(([name, { connects }]) => (connects ? [name] : []));

/** The verb label: LIST, WATCH, APPLY or CONNECT, else the method. */
function verbOf({ method, headers }: Counted, { verb, subresource = "" }: RequestInfo): string {
  if (connections.includes(subresource)) return "CONNECT";
  if (verb === "watch" || verb === "list") return verb.toUpperCase();
  if (method === "PATCH" && headers["content-type"]?.startsWith("application/apply-patch")) return "APPLY";
  if (method === "HEAD") return "GET";
  return methods.includes(method) ? method : "other";
}
/** The scope of a request: one object, a namespace, or the cluster. */
function scopeOf({ verb, resource, name, namespace }: RequestInfo): string {
  if (name !== undefined || verb === "create") return "resource";
  if (namespace !== undefined) return "namespace";
  return resource === undefined ? "" : "cluster";
}
const healthPath = /^\/(livez|readyz|healthz)$/;

/** Only what is served has labels of its own: names from requests would be unbounded. */
function labelsOf(r: ResourceDefinition | undefined, request: Counted, attributes: RequestInfo): About {
  const { path = "", subresource: part = "" } = attributes;
  const { group = "", version = "", resource: plural = "" } = attributes;
  const [verb, scope, component] = [verbOf(request, attributes), r ? scopeOf(attributes) : "", "apiserver"];
  if (!r) return { verb, ...nothing, subresource: healthPath.test(path) ? path : "", scope, component };
  const subresource = (r.subresources as readonly string[]).includes(part) ? part : "";
  return { verb, group, version, resource: plural, subresource, scope, component };
}
const nothing = { group: "", version: "", resource: "" };

/** The metrics of one server. */
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
  const help = "Latency of the log by operation and kind.";
  const durationOf = distributions({ name: "etcd_request_duration_seconds", help, bounds: durationBounds }, registry);
  const counted = (name: string, help: string) => counts({ name, help: help }, registry);
  const requestsOf = counted("etcd_requests_total", "Operations of the log.");
  const failedOf = counted("etcd_request_errors_total", "Operations of the log that failed.");
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
    commit: (write, ...alongside) => timed(operationOf(write), write.key, () => storage.commit(write, ...alongside)),
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
