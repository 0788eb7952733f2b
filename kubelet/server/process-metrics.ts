// Metrics of the kubelet's process in Prometheus' format; collected from the first request on.
import { collectDefaultMetrics, Registry } from "prom-client";

export const processMetrics = new Registry();
collectDefaultMetrics({ register: processMetrics });
