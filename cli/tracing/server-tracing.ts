// Tracing of a control plane: where its spans and those of the nodes go, as it is configured.
import type { SpanRecord } from "../../api/explanation/trace.ts";
import { traceStore } from "../../apiserver/traces/store.ts";
import type { TracingOptions } from "../../apiserver/verbs/traces.ts";
import { preciseNow, realWorld } from "../../machinery/real-world.ts";
import { type Tracer, tracer } from "../../machinery/trace.ts";
import type { TracingConfig } from "./config.ts";

export interface ServerTracing {
  readonly tracer: Tracer;
  readonly options: TracingOptions;
  /** Exports what is waiting. */
  close(): Promise<void>;
}

/** Undefined when tracing is off. The exporter is loaded only when an endpoint is set. */
export async function serverTracing(config: TracingConfig | undefined): Promise<ServerTracing | undefined> {
  if (!config) return undefined;
  const { endpoint, isKept, samplingRatePerMillion } = config;
  const exporter = endpoint === undefined ? undefined : (await import("./otlp.ts")).otlpExporter(endpoint);
  const store = isKept ? traceStore() : undefined;
  const record = (span: SpanRecord): void => {
    store?.add(span);
    exporter?.export(span);
  };
  const { random } = realWorld(() => {});
  const sampling = samplingRatePerMillion === undefined ? {} : { samplesPerMillion: samplingRatePerMillion };
  return {
    tracer: tracer({ component: "kube-apiserver", random, now: preciseNow, record, ...sampling }),
    options: { record, ...(store && { store }) },
    close: async () => exporter?.close(),
  };
}
