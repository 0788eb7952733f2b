// The last traces, in memory and bounded: spans by trace, and the traces that wrote each object.
import type { SpanRecord } from "../../api/explanation/trace.ts";

export interface StoredTrace {
  readonly traceId: string;
  /** In the order in which they ended. */
  readonly spans: readonly SpanRecord[];
  readonly dropped: number;
}
export interface TraceStore {
  add(span: SpanRecord): void;
  /**
   * The trace of the last change of an object from outside the cluster's own components, else the first one that wrote
   * it: of a pod, the trace of the change it was created for.
   */
  of(object: string): StoredTrace | undefined;
}

export interface TraceLimits {
  /** Of all traces; beyond it the oldest traces are evicted. */
  readonly spans: number;
  /** Of one trace; further ones are counted, not kept. */
  readonly spansPerTrace: number;
}
const defaults: TraceLimits = { spans: 100_000, spansPerTrace: 4_000 };

interface Entry {
  readonly spans: SpanRecord[];
  /** The objects that it wrote. */
  readonly objects: Set<string>;
  dropped: number;
}
/** The traces that wrote an object: the first, and the last that began with a write of it. */
interface Writers {
  readonly first: string;
  last: string | undefined;
}

/** An empty store. */
export function traceStore(limits: TraceLimits = defaults): TraceStore {
  // In the order of their first spans: the first is evicted next.
  const traces = new Map<string, Entry>();
  const writers = new Map<string, Writers>();
  let count = 0;
  const evict = (traceId: string, { spans, objects }: Entry): void => {
    traces.delete(traceId);
    count -= spans.length;
    for (const object of objects) {
      const known = writers.get(object);
      if (known?.last === traceId) known.last = undefined;
      if (known?.first !== traceId) continue;
      if (known.last === undefined) writers.delete(object);
      else writers.set(object, { first: known.last, last: known.last });
    }
  };
  const evictOldest = (): void => {
    // Evicting some more at once keeps the search for the first entry of the Map short.
    for (const [traceId, entry] of traces) {
      if (count <= limits.spans * (15 / 16)) break;
      evict(traceId, entry);
    }
  };
  const noteWriter = (object: string, { traceId, parentSpanId }: SpanRecord): void => {
    const isRoot = parentSpanId === undefined;
    const known = writers.get(object);
    if (!known) writers.set(object, { first: traceId, last: isRoot ? traceId : undefined });
    else if (isRoot) known.last = traceId;
  };
  return {
    add(span) {
      const entry = traces.get(span.traceId) ?? { spans: [], objects: new Set<string>(), dropped: 0 };
      traces.set(span.traceId, entry);
      if (entry.spans.length >= limits.spansPerTrace) {
        entry.dropped += 1;
        return;
      }
      entry.spans.push(span);
      count += 1;
      if (span.isWrite && span.object !== undefined) {
        entry.objects.add(span.object);
        noteWriter(span.object, span);
      }
      if (count > limits.spans) evictOldest();
    },
    of(object) {
      const known = writers.get(object);
      const traceId = known?.last ?? known?.first;
      const entry = traceId === undefined ? undefined : traces.get(traceId);
      return entry && { traceId: traceId!, spans: entry.spans, dropped: entry.dropped };
    },
  };
}
