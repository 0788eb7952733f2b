// The server's own figures, in the text Prometheus reads and under the names it knows: requests by what they were and
// how long they took, what is under way, and the process.
import type { IncomingHttpHeaders } from "node:http";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as Figures } from "prom-client";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Attempt } from "../authorize.ts";
import type { Extension } from "./exchange.ts";

/** A request between its beginning and its end. */
export interface Underway {
  /** A part of a stream was sent. */
  told(): void;
  /** Its answer is a stream, which may last. */
  streams(): void;
  ended(code: number, ms: number): void;
}
/** What of a request is counted, beside what it would do. */
export interface Counted {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}
/** Counts what the server does. */
export interface Observed {
  readonly figures: Figures;
  readonly serve: Extension;
  begun(request: Counted, attempt: Attempt): Underway;
}

type Labels = Readonly<Record<(typeof about)[number], string>>;
const about = ["verb", "group", "version", "resource", "subresource", "scope", "component"] as const;

/** Verbs as methods, but for those that read, which are told apart. */
function verbOf({ method, headers }: Counted, { verb }: Attempt): string {
  if (verb === "watch" || verb === "list") return verb.toUpperCase();
  if (method === "PATCH" && headers["content-type"]?.startsWith("application/apply-patch")) return "APPLY";
  return method === "HEAD" ? "GET" : method;
}
/** How much a request was about: one object, a namespace, or everything. */
function scopeOf({ verb, resource, name, namespace }: Attempt): string {
  if (name !== undefined || verb === "create") return "resource";
  if (namespace !== undefined) return "namespace";
  return resource === undefined ? "" : "cluster";
}
const healthPath = /^\/(livez|readyz|healthz)$/;
type Known = ReadonlyMap<string, ResourceDefinition>;
const placeOf = (r: { readonly group: string; readonly version: string; readonly plural: string }): string =>
  `${r.group}/${r.version}/${r.plural}`;

/** Only what is served has a name here: what strangers make up must not become figures that are kept for ever. */
function labelsOf(known: Known, request: Counted, attempt: Attempt): Labels {
  const { path = "", subresource: part = "" } = attempt;
  const { group = "", version = "", resource: plural = "" } = attempt;
  const r = known.get(placeOf({ group, version, plural }));
  const [verb, scope, component] = [verbOf(request, attempt), r ? scopeOf(attempt) : "", "apiserver"];
  if (!r) return { verb, ...nothing, subresource: healthPath.test(path) ? path : "", scope, component };
  const subresource = (r.subresources as readonly string[]).includes(part) ? part : "";
  return { verb, group, version, resource: plural, subresource, scope, component };
}
const nothing = { group: "", version: "", resource: "" };

function counters(registers: Figures[]) {
  const requests = new Counter({
    name: "apiserver_request_total",
    help: "Requests answered, by what was asked and the HTTP code of the answer.",
    labelNames: [...about, "dry_run", "code"],
    registers,
  });
  const duration = new Histogram({
    name: "apiserver_request_duration_seconds",
    help: "How long requests took, from their first byte to their last.",
    labelNames: [...about, "dry_run"],
    buckets: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
    registers,
  });
  const inflight = new Gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests under way at this moment, streams aside.",
    labelNames: ["request_kind"],
    registers,
  });
  const longRunning = new Gauge({
    name: "apiserver_longrunning_requests",
    help: "Watches and other streams open at this moment.",
    labelNames: about,
    registers,
  });
  for (const kind of ["readOnly", "mutating"]) inflight.set({ request_kind: kind }, 0);
  return { requests, duration, inflight, longRunning };
}

/** Events are many: they are counted in plain numbers, which become figures when somebody asks. */
function eventCounts(registers: Figures[]): (labels: Labels) => { n: number } {
  const counts = new Map<string, { readonly labels: Record<string, string>; n: number }>();
  new Counter({
    name: "apiserver_watch_events_total",
    help: "Events told to watchers.",
    labelNames: ["group", "version", "resource"],
    registers,
    collect() {
      this.reset();
      for (const { labels, n } of counts.values()) this.inc(labels, n);
    },
  });
  return ({ group, version, resource }) => {
    const key = `${group}/${version}/${resource}`;
    const found = counts.get(key) ?? { labels: { group, version, resource }, n: 0 };
    counts.set(key, found);
    return found;
  };
}

/** Figures of one server. */
export function observed(kinds: readonly ResourceDefinition[]): Observed {
  const known: Known = new Map(kinds.map((r) => [placeOf(r), r]));
  const figures = new Figures();
  collectDefaultMetrics({ register: figures });
  const { requests, duration, inflight, longRunning } = counters([figures]);
  const eventsOf = eventCounts([figures]);
  return {
    figures,
    async serve({ path, method }) {
      if (path !== "/metrics" || method !== "GET") return undefined;
      return { status: 200, body: await figures.metrics(), headers: { "content-type": figures.contentType } };
    },
    begun(request, attempt) {
      const labels = labelsOf(known, request, attempt);
      const kind = { request_kind: request.method === "GET" || request.method === "HEAD" ? "readOnly" : "mutating" };
      inflight.inc(kind);
      let events: { n: number } | undefined;
      let leave = (): void => inflight.dec(kind);
      return {
        told() {
          if (events) events.n++;
        },
        streams() {
          leave();
          longRunning.inc(labels);
          leave = () => longRunning.dec(labels);
          if (labels.verb === "WATCH") events = eventsOf(labels);
        },
        ended(code, ms) {
          leave();
          const counted = { ...labels, dry_run: request.url.includes("dryRun=All") ? "All" : "" };
          requests.inc({ ...counted, code: String(code) });
          duration.observe(counted, ms / 1000);
        },
      };
    },
  };
}
