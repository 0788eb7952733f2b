// Prometheus' HTTP API below /prometheus: what Grafana and other clients read. Source: Prometheus' documentation, "HTTP
// API".
import { timestamp, instant } from "../../api/meta.ts";
import { type Queryable, instantQuery, rangeQuery } from "../promql/query.ts";
import { ParseError } from "../promql/tokens.ts";
import { EvaluationError } from "../promql/values.ts";
import type { RuleState } from "../rules/groups.ts";
import type { MetricTypes } from "../scrape/metric-types.ts";
import type { TargetState } from "../scrape/scraper.ts";
import type { Labels } from "../series/labels.ts";
import type { MetricStore } from "../store/store.ts";
import { type HttpReply, type HttpRequest, replyFailure, replySuccess, RequestError } from "./exchange.ts";
import {
  limitParameter,
  parametersOf,
  rangeParameters,
  selectorParameters,
  timeParameter,
  wrongParameter,
} from "./parameters.ts";
import { matrixResult, queryResult } from "./results.ts";
import { alertsJson, rulesJson } from "./rules-json.ts";

/** What the API shows. */
export interface Shown {
  readonly store: MetricStore;
  readonly types: MetricTypes;
  readonly targets: () => readonly TargetState[];
  readonly rules: () => RuleState;
  readonly now: () => number;
  readonly scrapeIntervalMs: number;
}

type Handle = (shown: Shown, parameters: URLSearchParams, name: string) => Promise<unknown> | unknown;

const queryable = ({ store }: Shown): Queryable => ({ select: store.select });

/** Parses nothing itself: a wrong query is a wrong parameter. */
async function run<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (e instanceof ParseError) throw wrongParameter("query", e.message);
    throw e;
  }
}

/** The labels of the series that at least one of the selectors selects; of all series without any. */
function seriesOf({ store, now }: Shown, parameters: URLSearchParams): readonly Labels[] {
  const from = timeParameter(parameters, "start", Number.NEGATIVE_INFINITY);
  const to = timeParameter(parameters, "end", now());
  const selectors = selectorParameters(parameters);
  const found = (selectors.length === 0 ? [[]] : selectors).flatMap((matchers) => store.series(matchers, from, to));
  return [...new Map(found.map((labels) => [labels.key, labels])).values()];
}

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function metadata({ types }: Shown, parameters: URLSearchParams): object {
  const metric = parameters.get("metric");
  const all = [...types.all()].filter(([name]) => metric === null || metric === "" || name === metric);
  return Object.fromEntries(all.slice(0, limitParameter(parameters)).map(([name, type]) => [name, [type]]));
}

function targetsJson({ targets, scrapeIntervalMs }: Shown): object {
  const active = targets().map(({ job, instance, labels, url, lastScrape, seconds, error }) => ({
    discoveredLabels: {},
    labels: { ...labels, job, instance },
    scrapePool: job,
    scrapeUrl: url,
    globalUrl: url,
    lastError: error ?? "",
    lastScrape: timestamp(instant(lastScrape)),
    lastScrapeDuration: seconds,
    health: error === undefined ? "up" : "down",
    scrapeInterval: `${scrapeIntervalMs / 1000}s`,
    scrapeTimeout: `${scrapeIntervalMs / 1000}s`,
  }));
  return { activeTargets: active, droppedTargets: [], droppedTargetCounts: {} };
}

/** The version of Prometheus whose API this is like; clients choose by it what they use. */
const buildInfo = {
  ...{ version: "3.0.0", revision: "orrery", branch: "", buildUser: "", buildDate: "", goVersion: "" },
};

const handlers: Readonly<Record<string, Handle>> = {
  query: (shown, parameters) => {
    const time = timeParameter(parameters, "time", shown.now());
    return run(async () => queryResult(await instantQuery(parameters.get("query") ?? "", time, queryable(shown))));
  },
  query_range: (shown, parameters) => {
    const range = rangeParameters(parameters);
    return run(async () => matrixResult(await rangeQuery(parameters.get("query") ?? "", range, queryable(shown))));
  },
  series: (shown, parameters) => {
    if (!parameters.has("match[]")) throw new RequestError("bad_data", "no match[] parameter provided");
    return seriesOf(shown, parameters)
      .slice(0, limitParameter(parameters))
      .map((labels) => labels.toRecord());
  },
  labels: (shown, parameters) =>
    [...new Set(seriesOf(shown, parameters).flatMap((labels) => labels.pairs().map(([name]) => name)))]
      .toSorted()
      .slice(0, limitParameter(parameters)),
  label: (shown, parameters, name) => {
    if (!labelName.test(name)) throw new RequestError("bad_data", `invalid label name: ${JSON.stringify(name)}`);
    const values = seriesOf(shown, parameters).map((labels) => labels.get(name));
    return [...new Set(values)]
      .filter((value) => value !== "")
      .toSorted()
      .slice(0, limitParameter(parameters));
  },
  metadata,
  targets: targetsJson,
  alerts: ({ rules }) => alertsJson(rules()),
  rules: ({ rules }, parameters) => rulesJson(rules(), parameters.get("type") ?? ""),
  query_exemplars: () => [],
  "status/buildinfo": () => buildInfo,
};
const readOnly = ["label", "metadata", "targets", "alerts", "rules", "status/buildinfo"];

const root = "/prometheus/";
/** Whether a path belongs to this API. */
export const isPrometheusPath = (path: string): boolean => path.startsWith(root);

function handlerAt(path: string): readonly [handle: Handle, endpoint: string, label: string] | undefined {
  const [, endpoint = ""] = /^\/prometheus\/api\/v1\/(.+)$/.exec(path) ?? [];
  const [, label] = /^label\/(.+)\/values$/.exec(endpoint) ?? [];
  if (label !== undefined) return [handlers["label"]!, "label", label];
  const handle = endpoint === "label" || !Object.hasOwn(handlers, endpoint) ? undefined : handlers[endpoint];
  return handle && [handle, endpoint, ""];
}

function failureOf(e: unknown): HttpReply {
  if (e instanceof RequestError) return replyFailure(e.type, e.message);
  if (e instanceof EvaluationError) return replyFailure("execution", e.message);
  return replyFailure("internal", (e as Error).message);
}

const alive: readonly string[] = ["/prometheus/-/healthy", "/prometheus/-/ready"];

/** Serves a request below /prometheus/. */
export async function servePrometheus(shown: Shown, request: HttpRequest): Promise<HttpReply> {
  const { path, method } = request;
  if (alive.includes(path))
    return { status: 200, body: "Orrery is ready.\n", headers: { "content-type": "text/plain" } };
  const found = handlerAt(path);
  if (!found) return replyFailure("not_found", `there is nothing at ${path}; the API is below /prometheus/api/v1/`);
  const [handle, endpoint, label] = found;
  const methods = readOnly.includes(endpoint) ? ["GET", "HEAD"] : ["GET", "HEAD", "POST"];
  if (!methods.includes(method))
    return { ...replyFailure("bad_data", `${endpoint} is read with ${methods.join(", ")}`), status: 405 };
  try {
    return replySuccess(await handle(shown, parametersOf(request), label));
  } catch (e) {
    return failureOf(e);
  }
}
