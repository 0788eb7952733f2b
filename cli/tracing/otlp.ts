// Exports spans by OpenTelemetry's protocol over HTTP, as JSON, in batches. Loaded only when an endpoint is set.
import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SpanRecord } from "../../api/explanation/trace.ts";

/** Seconds and nanoseconds. */
const hrTime = (ms: number): HrTime => {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
};

const contextOf = (traceId: string, spanId: string) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });

/** The span as the exporter reads it. */
function readable(span: SpanRecord, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, name, start, end, error, object, isWrite } = span;
  const attributes: Attributes = { ...span.attributes, ...(object !== undefined && { "orrery.object": object }) };
  return {
    ...{ name, attributes, resource, links: [], events: [], ended: true },
    kind: isWrite ? SpanKind.SERVER : SpanKind.INTERNAL,
    spanContext: () => contextOf(traceId, spanId),
    ...(parentSpanId !== undefined && { parentSpanContext: contextOf(traceId, parentSpanId) }),
    ...{ startTime: hrTime(start), endTime: hrTime(end), duration: hrTime(Math.max(0, end - start)) },
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    instrumentationScope: { name: "orrery" },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

/** An exporter to a collector, such as `http://127.0.0.1:4318/v1/traces`. */
export interface SpanExporter {
  export(span: SpanRecord): void;
  /** Sends what is waiting, and ends. */
  close(): Promise<void>;
}

/** Exports to `url`. What cannot be delivered is dropped: tracing never holds a component up. */
export function otlpExporter(url: string): SpanExporter {
  const batches = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter({ url }),
    ...{ maxQueueSize: 16_384, maxExportBatchSize: 512, scheduledDelayMillis: 1_000, exportTimeoutMillis: 10_000 },
  });
  const resources = new Map<string, Resource>();
  const resourceOf = ({ component, node }: SpanRecord): Resource => {
    const id = `${component} ${node ?? ""}`;
    const known = resources.get(id);
    if (known) return known;
    const named = { "service.name": component, ...(node !== undefined && { "k8s.node.name": node }) };
    const resource = resourceFromAttributes(named);
    resources.set(id, resource);
    return resource;
  };
  return {
    export: (span) => batches.onEnd(readable(span, resourceOf(span))),
    close: () => batches.shutdown(),
  };
}
