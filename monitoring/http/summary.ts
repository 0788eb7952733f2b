// The figures of a service over time, computed by queries from the metrics of its pods.
import type {
  FigureGroup,
  FigureUnit,
  ServiceAlert,
  ServiceFigure,
  ServiceMetrics,
  ServiceVersion,
} from "../../api/explanation/monitoring.ts";
import { instant, timestamp } from "../../api/meta.ts";
import { type QueryRange, rangeQuery } from "../promql/query.ts";
import type { RuleState } from "../rules/groups.ts";
import { type Matcher, matcher } from "../series/matchers.ts";
import type { SeriesSamples } from "../series/samples.ts";
import type { MetricStore } from "../store/store.ts";
import { businessMetrics, type ProgramMetricNames, requestMetrics } from "./program-metrics.ts";

export interface SummaryQuery extends QueryRange {
  readonly namespace: string;
  readonly name: string;
}

interface FigureQuery {
  readonly name: string;
  readonly group: FigureGroup;
  readonly unit: FigureUnit;
  readonly query: string;
}

const quoted = JSON.stringify;
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** The window of rates: several scrapes, and no gaps between steps. */
const windowOf = (stepMs: number, scrapeIntervalMs: number): string =>
  `${Math.ceil(Math.max(stepMs, 4 * scrapeIntervalMs) / 1000)}s`;

/** The figures that Kubernetes and the proxy have of every service. */
function clusterFigures(service: string, pods: string, window: string): readonly FigureQuery[] {
  const resources = (kind: string, resource: string): string =>
    `sum(kube_pod_container_resource_${kind}{${pods},resource=${quoted(resource)}})`;
  const figure = (name: string, group: FigureGroup, unit: FigureUnit, query: string): FigureQuery => ({
    name,
    group,
    unit,
    query,
  });
  return [
    figure("up", "availability", "", `max(orrery_service_up{${service}})`),
    figure("podsReady", "availability", "", `max(orrery_service_pods_ready{${service}})`),
    figure("podsDesired", "availability", "", `max(orrery_service_pods_desired{${service}})`),
    figure("connections", "traffic", "per second", `sum(rate(service_proxy_connections_total{${service}}[${window}]))`),
    figure(
      "receivedBytes",
      "traffic",
      "bytes per second",
      `sum(rate(service_proxy_bytes_total{${service},direction="received"}[${window}]))`,
    ),
    figure(
      "sentBytes",
      "traffic",
      "bytes per second",
      `sum(rate(service_proxy_bytes_total{${service},direction="sent"}[${window}]))`,
    ),
    figure("cpu", "saturation", "cores", `sum(rate(container_cpu_usage_seconds_total{${pods}}[${window}]))`),
    figure("cpuLimit", "saturation", "cores", resources("limits", "cpu")),
    figure("memory", "saturation", "bytes", `sum(container_memory_working_set_bytes{${pods}})`),
    figure("memoryLimit", "saturation", "bytes", resources("limits", "memory")),
    figure("restarts", "saturation", "", `sum(increase(kube_pod_container_status_restarts_total{${pods}}[${window}]))`),
  ];
}

/** The figures of the programs in the pods, as far as they expose them. */
function programFigures(names: ProgramMetricNames, pods: string, window: string): readonly FigureQuery[] {
  const { requests, errors, histogram } = requestMetrics(names);
  const rate = (metric: string, labels = ""): string => `sum(rate(${metric}{${pods}${labels}}[${window}]))`;
  const failing = errors && rate(errors.metric, errors.labels);
  const total = requests && rate(requests);
  const quantile = (q: number): string =>
    `histogram_quantile(${q}, sum by (le) (rate(${histogram}_bucket{${pods}}[${window}])))`;
  return [
    ...(total ? [{ name: "requests", group: "requests", unit: "per second", query: total } as const] : []),
    // While none fails, there may be no series of failures at all.
    ...(failing && total
      ? ([
          { name: "errors", group: "requests", unit: "per second", query: `${failing} or 0 * ${total}` },
          { name: "errorRatio", group: "requests", unit: "ratio", query: `(${failing} or 0 * ${total}) / ${total}` },
        ] as const)
      : []),
    ...(histogram === undefined
      ? []
      : (
          [
            [0.5, "p50"],
            [0.95, "p95"],
            [0.99, "p99"],
          ] as const
        ).map(([q, name]): FigureQuery => ({ name, group: "latency", unit: "seconds", query: quantile(q) }))),
    ...businessMetrics(names).map(
      ({ name, isCounter }): FigureQuery => ({
        name,
        group: "business",
        unit: isCounter ? "per second" : "",
        query: isCounter ? rate(name) : `sum(${name}{${pods}})`,
      }),
    ),
  ];
}

/** A series at the times of the steps. */
function valuesAt(series: SeriesSamples | undefined, times: readonly number[]): readonly (number | null)[] {
  const byTime = new Map([...(series?.times ?? [])].map((time, i) => [time, series!.values[i]!]));
  return times.map((time) => {
    const value = byTime.get(time);
    return value === undefined || !Number.isFinite(value) ? null : value;
  });
}

async function figureOf(
  query: FigureQuery,
  range: QueryRange,
  times: readonly number[],
  store: MetricStore,
): Promise<ServiceFigure | undefined> {
  const [series] = await rangeQuery(query.query, range, { select: store.select });
  const values = valuesAt(series, times);
  const latest = values.findLast((value) => value !== null);
  return latest === undefined || latest === null ? undefined : { ...query, values, latest };
}

function versionsIn(series: readonly SeriesSamples[], from: number): readonly ServiceVersion[] {
  const versions = new Map<string, ServiceVersion>();
  for (const { labels, times } of series) {
    const [revision, images] = [labels.get("revision"), labels.get("images")];
    const within = times.filter((time) => time >= from);
    if (within.length === 0) continue;
    const [first, last] = [within[0]! / 1000, within.at(-1)! / 1000];
    const id = `${revision} ${images}`;
    const known = versions.get(id);
    versions.set(id, {
      revision,
      images: images.split(","),
      firstSeen: Math.min(first, known?.firstSeen ?? first),
      lastSeen: Math.max(last, known?.lastSeen ?? last),
    });
  }
  return [...versions.values()].toSorted((a, b) => a.firstSeen - b.firstSeen);
}

/** The active alerts whose labels name the service, or one of its pods. */
function alertsOf(
  { groups }: RuleState,
  { namespace, name }: SummaryQuery,
  pods: ReadonlySet<string>,
): readonly ServiceAlert[] {
  return groups
    .flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts))
    .filter(
      ({ labels }) =>
        labels.get("namespace") === namespace && (labels.get("service") === name || pods.has(labels.get("pod"))),
    )
    .map(
      ({ labels, annotations, state, activeAt }): ServiceAlert => ({
        name: labels.get("alertname"),
        state,
        severity: labels.get("severity"),
        summary: annotations["summary"] ?? "",
        since: timestamp(instant(activeAt)),
        ...(labels.get("pod") !== "" && { pod: labels.get("pod") }),
      }),
    );
}

/** Without what is about single pods, for those who may not list them. */
export const withoutPods = ({ versions: _, figures, alerts, ...others }: ServiceMetrics): ServiceMetrics => ({
  ...others,
  figures: figures.map(({ query: __, ...figure }) => figure),
  alerts: alerts.filter(({ pod }) => pod === undefined),
});

export interface SummarySources {
  readonly store: MetricStore;
  readonly rules: RuleState;
  readonly isCounter: (metric: string) => boolean;
  readonly scrapeIntervalMs: number;
}

/** The figures of a service in a range of times. */
export async function serviceMetrics(query: SummaryQuery, sources: SummarySources): Promise<ServiceMetrics> {
  const { namespace, name, start, end, stepMs } = query;
  const { store, rules, isCounter, scrapeIntervalMs } = sources;
  const range = { start, end, stepMs };
  const times = Array.from({ length: Math.floor((end - start) / stepMs) + 1 }, (_, i) => start + i * stepMs);
  const of: readonly Matcher[] = [matcher("namespace", "=", namespace)];
  const behind = store.series(
    [...of, matcher("__name__", "=", "orrery_service_pod"), matcher("service", "=", name)],
    start - stepMs,
    end,
  );
  const podNames = [...new Set(behind.map((labels) => labels.get("pod")))];
  const inPods = matcher("pod", "=~", podNames.map(escaped).join("|"));
  const pods = `namespace=${quoted(namespace)},pod=~${quoted(podNames.map(escaped).join("|"))}`;
  const service = `namespace=${quoted(namespace)},service=${quoted(name)}`;
  const window = windowOf(stepMs, scrapeIntervalMs);
  const exposed = store.series([...of, inPods, matcher("job", "=", "kubernetes-pods")], start, end);
  const queries = [
    ...clusterFigures(service, pods, window),
    ...programFigures({ series: exposed, isCounter }, pods, window),
  ];
  const figures = await Promise.all(queries.map((each) => figureOf(each, range, times, store)));
  const versions = await store.select([...of, inPods, matcher("__name__", "=", "orrery_pod_version")], start, end);
  const oldest = store.oldest();
  return {
    ...{ kind: "ServiceMetrics", apiVersion: "orrery.dev/v1", namespace, name, stepSeconds: stepMs / 1000 },
    times: times.map((time) => time / 1000),
    ...(oldest !== undefined && { oldest: oldest / 1000 }),
    figures: figures.filter((figure) => figure !== undefined),
    versions: versionsIn(versions, start),
    alerts: alertsOf(rules, query, new Set(podNames)),
  };
}
