// GET /monitoring/api/v1/namespaces/NAMESPACE/services/NAME: the figures of a service as one JSON document.
import { type HttpReply, type HttpRequest, replyJson, RequestError } from "./exchange.ts";
import { durationIn, timeParameter, wrongParameter } from "./parameters.ts";
import { matcher } from "../series/matchers.ts";
import type { Shown } from "./prometheus-api.ts";
import { serviceMetrics } from "./summary.ts";

interface Service {
  readonly namespace: string;
  readonly name: string;
}
const form = /^\/monitoring\/api\/v1\/namespaces\/([^/]+)\/services\/([^/]+)$/;

/** The service whose figures are at a path. */
export function summarisedService(path: string): Service | undefined {
  const [, namespace, name] = form.exec(path) ?? [];
  return namespace === undefined || name === undefined
    ? undefined
    : { namespace: decodeURIComponent(namespace), name: decodeURIComponent(name) };
}

const hourMs = 3_600_000;
/** Of a figure. Without a step the range is divided into fewer. */
const [maxPoints, usualPoints] = [11_000, 240];

const status = (code: number, reason: string, message: string): HttpReply =>
  replyJson({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code }, code);

function rangeOf({ query }: HttpRequest, { now, scrapeIntervalMs }: Shown) {
  const end = timeParameter(query, "to", now());
  const start = timeParameter(query, "from", end - hourMs);
  if (end < start) throw wrongParameter("to", "it must not be before from");
  const text = query.get("step") ?? "";
  const usual = Math.max(scrapeIntervalMs, Math.ceil((end - start) / usualPoints / 1000) * 1000);
  const stepMs = text === "" ? usual : durationIn(text);
  if (stepMs === undefined || stepMs < 1000)
    throw wrongParameter("step", "it must be a number of seconds or a duration such as 30s, at least a second");
  if ((end - start) / stepMs > maxPoints) throw wrongParameter("step", `there would be more than ${maxPoints} values`);
  return { start, end, stepMs };
}

/** Serves the figures of a service. That it exists has been checked by whoever authorized the request. */
export async function serveSummary(shown: Shown, request: HttpRequest): Promise<HttpReply> {
  if (request.method !== "GET" && request.method !== "HEAD")
    return status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  const { store, rules, types, scrapeIntervalMs } = shown;
  const service = summarisedService(request.path)!;
  const isCounter = (metric: string): boolean =>
    (types.all().get(metric)?.type ?? (/_(?:total|count)$/.test(metric) ? "counter" : "")) === "counter";
  const about = ["namespace", "service"].map((label, i) => matcher(label, "=", [service.namespace, service.name][i]!));
  if (store.series(about, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).length === 0)
    return status(404, "NotFound", `there are no metrics of a service "${service.name}" in "${service.namespace}"`);
  try {
    const range = rangeOf(request, shown);
    return replyJson(
      await serviceMetrics({ ...service, ...range }, { store, rules: rules(), isCounter, scrapeIntervalMs }),
    );
  } catch (e) {
    if (e instanceof RequestError) return status(400, "BadRequest", e.message);
    throw e;
  }
}
