// Which metrics of a program count its requests, their errors and their duration, by the names that libraries give
// them, and which are its own figures. Pure.
import type { Labels } from "../series/labels.ts";

/** What the pods of a service expose. */
export interface ProgramMetricNames {
  readonly series: readonly Labels[];
  readonly isCounter: (metric: string) => boolean;
}
export interface RequestMetrics {
  readonly requests?: string;
  /** A metric, and labels that select its failures, after a comma. */
  readonly errors?: { readonly metric: string; readonly labels: string };
  /** Without the suffix of its parts. */
  readonly histogram?: string;
}

/** Histograms of the duration of requests, the best known first: Prometheus' libraries, OpenTelemetry, Micrometer. */
const histograms: readonly RegExp[] = [
  /^http_request_duration_seconds$/,
  /^http_server_request_duration_seconds$/,
  /^http_server_requests_seconds$/,
  /^grpc_server_handling_seconds$/,
  /^(?:.*_)?requests?_(?:duration|latency)_seconds$/,
];
const counters: readonly RegExp[] = [
  /^http_requests_total$/,
  /^http_server_requests_total$/,
  /^grpc_server_handled_total$/,
  /^(?:.*_)?requests_total$/,
];
const errorCounters: readonly RegExp[] = [/^http_errors_total$/, /^(?:.*_)?(?:errors|failures)_total$/];
/** Labels that hold a status, and the values of failures of the server. */
const statusLabels = ["code", "status", "status_code", "http_status_code", "http_response_status_code", "grpc_code"];
const grpcFailures = "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss";

const firstOf = (names: ReadonlySet<string>, forms: readonly RegExp[]): string | undefined =>
  forms.map((form) => [...names].find((name) => form.test(name))).find((name) => name !== undefined);

const nameOf = (labels: Labels): string => labels.get("__name__");

/** The status label of a metric, with a selector of failures. */
function failuresOf(metric: string, series: readonly Labels[]): RequestMetrics["errors"] {
  const own = series.filter((labels) => nameOf(labels) === metric);
  const label = statusLabels.find((name) => own.some((labels) => labels.get(name) !== ""));
  if (label === undefined) return undefined;
  const values = label === "grpc_code" ? grpcFailures : "5..|5xx";
  return { metric, labels: `,${label}=~${JSON.stringify(values)}` };
}

/** The metrics of requests among those that are exposed. */
export function requestMetrics({ series }: ProgramMetricNames): RequestMetrics {
  const names = new Set(series.map(nameOf));
  const bases = new Set(
    [...names].filter((name) => name.endsWith("_bucket")).map((name) => name.slice(0, -"_bucket".length)),
  );
  const histogram = firstOf(bases, histograms);
  const counter = firstOf(names, counters);
  const requests = counter ?? (histogram === undefined ? undefined : `${histogram}_count`);
  const byStatus =
    (counter === undefined ? undefined : failuresOf(counter, series)) ??
    (histogram === undefined ? undefined : failuresOf(`${histogram}_count`, series));
  const counted = firstOf(names, errorCounters);
  const errors = byStatus ?? (counted === undefined ? undefined : { metric: counted, labels: "" });
  return {
    ...(requests !== undefined && { requests }),
    ...(errors && { errors }),
    ...(histogram !== undefined && { histogram }),
  };
}

/** Metrics about the runtime of a program, and about its scrape. */
const runtime =
  /^(?:process|go|nodejs|python|jvm|ruby|dotnet|promhttp|http|grpc|rpc|scrape|tomcat|system|executor|logback)_|^up$|_created$|_bucket$|_sum$|_info$/;
/** More would be no overview. */
const maxBusiness = 12;

/** The program's own figures, in the order of their names. */
export function businessMetrics(
  names: ProgramMetricNames,
): readonly { readonly name: string; readonly isCounter: boolean }[] {
  const { requests, errors, histogram } = requestMetrics(names);
  const shown = new Set([requests, errors?.metric, `${histogram}_count`]);
  return [...new Set(names.series.map(nameOf))]
    .filter((name) => !runtime.test(name) && !shown.has(name))
    .toSorted()
    .slice(0, maxBusiness)
    .map((name) => ({ name, isCounter: names.isCounter(name) }));
}
