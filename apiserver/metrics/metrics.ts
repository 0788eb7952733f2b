// The server's own figures, in the text Prometheus reads and under the names it knows: requests by what they were and
// how long they took, what is under way, and the process.
import type { IncomingHttpHeaders } from "node:http";
import { collectDefaultMetrics, Registry as Figures } from "prom-client";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { RequestInfo } from "../authorization/authorizer.ts";
import type { Extension } from "../request/request-response.ts";
import { type About, requestFigures } from "./request-metrics.ts";

/** A request between its beginning and its end. */
export interface InFlight {
  /** A part of a stream was sent. */
  told(part: Buffer | string): void;
  /** Its answer is a stream, which may last. */
  streams(): void;
  /** With so many bytes, where they were counted. */
  ended(code: number, ms: number, bytes?: number): void;
}
/** What of a request is counted, beside what it would do. */
export interface Counted {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}
/** Counts what the server does. */
export interface RequestMetrics {
  readonly figures: Figures;
  readonly serve: Extension;
  begun(request: Counted, attributes: RequestInfo): InFlight;
}

const methods: readonly string[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** Parts that are connections rather than objects. */
const connections: readonly string[] = ["log", "exec", "portforward", "attach", "proxy"];

/** Verbs as methods, but for those that read, which are told apart, and those that connect. */
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
  const figures = new Figures();
  collectDefaultMetrics({ register: figures });
  const { inflight, longRunning, deprecated, endingOf, tellingOf } = requestFigures(figures);
  return {
    figures,
    async serve({ path, method }) {
      if (path !== "/metrics" || method !== "GET") return undefined;
      const body = `${await figures.metrics()}${await componentMetrics()}`;
      return { status: 200, body, headers: { "content-type": figures.contentType } };
    },
    begun(request, attributes) {
      const { group = "", version = "", resource: plural = "" } = attributes;
      const r = kinds.of({ group, version, plural });
      const labels = labelsOf(r, request, attributes);
      const kind = request.method === "GET" || request.method === "HEAD" ? "readOnly" : "mutating";
      inflight[kind]++;
      let telling: ReturnType<typeof tellingOf> | undefined;
      let leave = (): void => void inflight[kind]--;
      return {
        told: (part) => telling?.told(Buffer.byteLength(part)),
        streams() {
          leave();
          longRunning.inc(labels);
          leave = () => longRunning.dec(labels);
          const { verb, resource } = labels;
          if (verb === "WATCH") telling = tellingOf({ group: labels.group, version: labels.version, resource });
        },
        ended(code, ms, bytes = 0) {
          leave();
          endingOf(labels, request.url.includes("dryRun=All") ? "All" : "", code).ended(ms, bytes);
          const { resource, subresource } = labels;
          if (r?.deprecated !== undefined)
            deprecated.set({ group, version, resource, subresource, removed_release: "" }, 1);
        },
      };
    },
  };
}
