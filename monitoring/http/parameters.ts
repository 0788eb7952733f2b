// The parameters of queries: times, durations and selectors, from the query string or a form.
import { parseSelector } from "../promql/parse.ts";
import { durationOf, ParseError } from "../promql/tokens.ts";
import type { QueryRange } from "../promql/query.ts";
import type { Matcher } from "../series/matchers.ts";
import { type HttpRequest, RequestError } from "./exchange.ts";

/** Of one series in one response. */
const maxPoints = 11_000;

export const wrongParameter = (name: string, message: string): RequestError =>
  new RequestError("bad_data", `invalid parameter ${JSON.stringify(name)}: ${message}`);

/** The parameters of the query string and of a form. */
export function parametersOf({ method, query, headers, body }: HttpRequest): URLSearchParams {
  if (method !== "POST" || !body) return query;
  const type = String(headers["content-type"] ?? "");
  if (!type.startsWith("application/x-www-form-urlencoded"))
    throw new RequestError("bad_data", "the body must be a form: application/x-www-form-urlencoded");
  return new URLSearchParams([...query, ...new URLSearchParams(body.toString("utf8"))]);
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Milliseconds of a time in seconds or RFC 3339; undefined when it is none. */
export function timeIn(text: string): number | undefined {
  const ms = decimal.test(text) ? Math.round(Number(text) * 1000) : rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}
/** Milliseconds of a duration in seconds or such as `5m`; undefined when it is none. */
export const durationIn = (text: string): number | undefined =>
  decimal.test(text) ? Number(text) * 1000 : durationOf(text);

export function timeParameter(parameters: URLSearchParams, name: string, fallback?: number): number {
  const text = parameters.get(name) ?? "";
  if (text === "" && fallback !== undefined) return fallback;
  const time = timeIn(text);
  if (time === undefined) throw wrongParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  return time;
}

export function limitParameter(parameters: URLSearchParams): number {
  const text = parameters.get("limit") ?? "";
  if (text === "" || text === "0") return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(text))
    throw wrongParameter("limit", `cannot parse ${JSON.stringify(text)} to a number that is not negative`);
  return Number(text);
}

export function rangeParameters(parameters: URLSearchParams): QueryRange {
  const start = timeParameter(parameters, "start");
  const end = timeParameter(parameters, "end");
  if (end < start) throw wrongParameter("end", "end timestamp must not be before start time");
  const text = parameters.get("step") ?? "";
  const stepMs = durationIn(text);
  if (stepMs === undefined) throw wrongParameter("step", `cannot parse ${JSON.stringify(text)} to a valid duration`);
  if (stepMs < 1)
    throw wrongParameter(
      "step",
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  if ((end - start) / stepMs > maxPoints)
    throw new RequestError(
      "bad_data",
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  return { start, end, stepMs: Math.round(stepMs) };
}

/** The selectors under `match[]`. */
export function selectorParameters(parameters: URLSearchParams): readonly (readonly Matcher[])[] {
  return parameters.getAll("match[]").map((text) => {
    try {
      return parseSelector(text);
    } catch (e) {
      if (e instanceof ParseError) throw wrongParameter("match[]", e.message);
      throw e;
    }
  });
}
