// Spans of reconciles: each continues the trace of the latest write behind its key, and is recorded when it did
// something. The wait in the queue, or of a back-off, is a part of it.
import type { Reason } from "../api/explanation/decisions.ts";
import { type SpanContext, spanObject } from "../api/explanation/trace.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import type { Key } from "../api/meta.ts";

import type { Tracer } from "./trace.ts";

interface Outcome {
  /** Whether anything was written, or tried. */
  readonly acted: boolean;
  readonly because: readonly string[];
  readonly error?: unknown;
  /** Whether the key is due again without a change. */
  readonly isDueAgain: boolean;
}
export interface ReconcileSpan {
  readonly context: SpanContext;
  end(outcome: Outcome): void;
}
export interface ReconcileSpans {
  /** Takes the time at which a key begins to wait. */
  enqueued(key: Key): void;
  begin(key: Key, reasons: readonly Reason[]): ReconcileSpan;
}

/** The span of the latest of the changes whose write was traced. */
function causeIn(reasons: readonly Reason[], tracer: Tracer): SpanContext | undefined {
  const changes = reasons.filter((reason) => "revision" in reason).toSorted((a, b) => b.revision - a.revision);
  for (const change of changes) {
    const span = tracer.causeOf(change);
    if (span) return span;
  }
  return undefined;
}

/** The spans of one controller. */
export function reconcileSpans(
  tracer: Tracer,
  name: string,
  reconciled: Pick<ResourceDefinition, "group" | "plural"> | undefined,
): ReconcileSpans {
  const waiting = new Map<Key, number>();
  /** What caused keys that are due again: a retry continues the trace of what it tries again. */
  const carried = new Map<Key, SpanContext>();
  return {
    enqueued(key) {
      if (!waiting.has(key)) waiting.set(key, tracer.now());
    },
    begin(key, reasons) {
      const taken = tracer.now();
      const since = waiting.get(key) ?? taken;
      waiting.delete(key);
      const isRetry = reasons.some(({ type }) => type === "retry");
      const parent = causeIn(reasons, tracer) ?? carried.get(key);
      const object = reconciled && spanObject(reconciled, key);
      const span = tracer.start(`reconcile ${name} ${key}`, { parent, at: since, object });
      return {
        context: span.context,
        end({ acted, because, error, isDueAgain }) {
          if (isDueAgain && (acted || parent)) carried.set(key, acted ? span.context : parent!);
          else carried.delete(key);
          if (!acted) return;
          span.child(isRetry ? "back-off" : "queue wait", { at: since }).end({ at: taken });
          if (because.length > 0) span.set({ attributes: { because: because.join("; ") } });
          span.end({ error: error === undefined ? undefined : (error as Error).message });
        },
      };
    },
  };
}
