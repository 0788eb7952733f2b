// The server's own figures, in the text Prometheus reads and under the names it knows: requests by what they were and
// how long they took, what is under way, and the process.
import type { IncomingHttpHeaders } from "node:http";
import { collectDefaultMetrics, Gauge, Registry as Figures } from "prom-client";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Attempt } from "../authorize.ts";
import { counts, durations, type Tally } from "../tallies.ts";
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

function counters(figures: Figures) {
  const requests = counts(
    {
      name: "apiserver_request_total",
      help: "Requests answered, by what was asked and the HTTP code of the answer.",
      labelNames: [...about, "dry_run", "code"],
    },
    figures,
  );
  const events = counts(
    {
      name: "apiserver_watch_events_total",
      help: "Events told to watchers.",
      labelNames: ["group", "version", "resource"],
    },
    figures,
  );
  const help = "How long requests took, from their first byte to their last.";
  return { requests, events, duration: durations({ name: "apiserver_request_duration_seconds", help }, figures) };
}

function gauges(registers: Figures[]) {
  const inflight = { readOnly: 0, mutating: 0 };
  new Gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests under way at this moment, streams aside.",
    labelNames: ["request_kind"],
    registers,
    collect() {
      for (const [kind, count] of Object.entries(inflight)) this.set({ request_kind: kind }, count);
    },
  });
  const longRunning = new Gauge({
    name: "apiserver_longrunning_requests",
    help: "Watches and other streams open at this moment.",
    labelNames: about,
    registers,
  });
  return { inflight, longRunning };
}

/** Figures of one server. */
export function observed(kinds: readonly ResourceDefinition[]): Observed {
  const known: Known = new Map(kinds.map((r) => [placeOf(r), r]));
  const figures = new Figures();
  collectDefaultMetrics({ register: figures });
  const { requests, duration, events } = counters(figures);
  const { inflight, longRunning } = gauges([figures]);
  return {
    figures,
    async serve({ path, method }) {
      if (path !== "/metrics" || method !== "GET") return undefined;
      return { status: 200, body: await figures.metrics(), headers: { "content-type": figures.contentType } };
    },
    begun(request, attempt) {
      const labels = labelsOf(known, request, attempt);
      const kind = request.method === "GET" || request.method === "HEAD" ? "readOnly" : "mutating";
      inflight[kind]++;
      let told: Tally | undefined;
      let leave = (): void => void inflight[kind]--;
      return {
        told() {
          if (told) told.n++;
        },
        streams() {
          leave();
          longRunning.inc(labels);
          leave = () => longRunning.dec(labels);
          const { group, version, resource } = labels;
          if (labels.verb === "WATCH") told = events({ group, version, resource });
        },
        ended(code, ms) {
          leave();
          const counted = { ...labels, dry_run: request.url.includes("dryRun=All") ? "All" : "" };
          requests({ ...counted, code: String(code) }).n++;
          duration(counted).took(ms);
        },
      };
    },
  };
}
