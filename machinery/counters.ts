// Metrics counted on hot paths: plain numbers per set of labels, which become Prometheus' series when they are read.
// prom-client alone would check and sort the labels on every count; it is loaded only when a client's metrics are read.
import type { Metric, Registry } from "prom-client";

type Labels = Readonly<Record<string, string>>;
interface Named {
  readonly name: string;
  readonly help: string;
}
/** Where metrics are registered: a registry, or a list of what is registered later. */
type Registrar = Pick<Registry, "registerMetric">;

/** A value per set of labels, created on first use. The label names are always the same. */
interface ByLabels<T> {
  of(labels: Labels): T;
  /** The same by a short unique text for these labels, which callers often have at hand. */
  at(place: string, labels: () => Labels): T;
  all(): Iterable<T>;
}
export function byLabels<T>(make: (labels: Labels) => T): ByLabels<T> {
  const known = new Map<string, T>();
  const at = (place: string, labels: () => Labels): T => {
    let found = known.get(place);
    if (found === undefined) {
      found = make(labels());
      known.set(place, found);
    }
    return found;
  };
  return { of: (labels) => at(Object.values(labels).join("\n"), () => labels), at, all: () => known.values() };
}

/** One metric in the form prom-client reads, computed whenever it is read. */
function register(
  metric: Named & { readonly type: "counter" | "histogram" },
  values: () => readonly object[],
  registrar: Registrar,
): void {
  const all = { ...metric, aggregator: "sum", get: async () => ({ ...all, values: values() }) };
  registrar.registerMetric(all as unknown as Metric);
}

/** A number that only grows. */
export interface Count {
  n: number;
}
/** A counter for each set of labels. */
export function counts({ name, help }: Named, registrar: Registrar): (labels: Labels) => Count {
  const series = byLabels((labels): Count & { readonly labels: Labels } => ({ labels, n: 0 }));
  register(
    { name, help, type: "counter" },
    () => [...series.all()].map(({ labels, n }) => ({ labels, value: n })),
    registrar,
  );
  return series.of;
}

/** The upper bounds of request durations, in seconds. */
export const durationBounds: readonly number[] = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

/** A histogram of one set of labels. */
interface Distribution {
  saw(value: number): void;
}
interface Histogram extends Distribution {
  values(name: string): readonly object[];
}
function histogram(bounds: readonly number[], labels: Labels): Histogram {
  const within = bounds.map(() => 0);
  let [count, sum] = [0, 0];
  return {
    saw(value) {
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) within[at]! += 1;
      count += 1;
      sum += value;
    },
    values(name) {
      let cumulated = 0;
      const buckets = bounds.map((le, i) => {
        cumulated += within[i]!;
        return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: cumulated };
      });
      return [
        ...buckets,
        { metricName: `${name}_bucket`, labels: { le: "+Inf", ...labels }, value: count },
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    },
  };
}

/** A histogram for each set of labels. */
export function distributions(
  { name, help, bounds }: Named & { readonly bounds: readonly number[] },
  registrar: Registrar,
): (labels: Labels) => Distribution {
  const series = byLabels((labels) => histogram(bounds, labels));
  register({ name, help, type: "histogram" }, () => [...series.all()].flatMap((one) => one.values(name)), registrar);
  return series.of;
}

/** The metrics of one client. */
export interface ClientMetrics {
  /** Counts a request that ended after `ms` milliseconds with this status, or without one. */
  requested(method: string, status: number | undefined, ms: number): void;
  /** All of it as Prometheus text. */
  metrics(): Promise<string>;
}

/** The buckets of client-go, in seconds. */
const bounds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Counts requests to one server. */
export function clientMetrics(host: string): ClientMetrics {
  const registered: Metric[] = [];
  const registrar = { registerMetric: (metric: Metric) => void registered.push(metric) };
  const requests = {
    name: "rest_client_requests_total",
    help: "Number of HTTP requests, by status code, method, and host.",
  };
  const latency = { name: "rest_client_request_duration_seconds", help: "Request latency, by verb and host.", bounds };
  const total = counts(requests, registrar);
  const duration = distributions(latency, registrar);
  return {
    requested(method, status, ms) {
      total({ code: status === undefined ? "<error>" : `${status}`, host, method }).n++;
      duration({ host, verb: method }).saw(ms / 1000);
    },
    async metrics() {
      const { Registry } = await import("prom-client");
      const registry = new Registry();
      for (const metric of registered) registry.registerMetric(metric);
      return registry.metrics();
    },
  };
}
