// What a client counts of its requests, under the names client-go uses. prom-client is loaded when they are read.
import type { Metric } from "prom-client";
import { counts, distributions } from "./counters.ts";

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
  const total = counts(
    { name: "rest_client_requests_total", help: "Number of HTTP requests, by status code, method, and host." },
    registrar,
  );
  const duration = distributions(
    { name: "rest_client_request_duration_seconds", help: "Request latency, by verb and host.", bounds },
    registrar,
  );
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
