// Spans of what the node's network applies to the kernel: one in each trace whose changes it takes up together.
import type { SpanContext } from "../api/explanation/trace.ts";
import { type ApiObject, type Key, keyOf, revisionOf } from "../api/meta.ts";
import type { Span, Tracer } from "../machinery/trace.ts";

interface Pending {
  /** By trace: the span of its latest change. */
  readonly causes: Map<string, SpanContext>;
  readonly since: number;
}
export interface ApplySpans {
  /** A change arrived that the task has to take up. */
  changed(task: string, object: ApiObject): void;
  /** The task begins: a span in every trace behind the changes since it began last. */
  begin(task: Key, node: string): readonly Span[];
}

/** So many traces are continued by one run of a task; the rules are the same for all. */
const mostTraces = 64;

const names: Readonly<Record<string, string>> = {
  rules: "apply service rules",
  routes: "apply routes",
  "health checks": "serve health checks",
};

export function applySpans(tracer: Tracer): ApplySpans {
  const pending = new Map<string, Pending>();
  return {
    changed(task, object) {
      const cause = tracer.causeOf({ kind: object.kind, key: keyOf(object), revision: revisionOf(object) });
      if (!cause) return;
      const known = pending.get(task) ?? { causes: new Map<string, SpanContext>(), since: tracer.now() };
      pending.set(task, known);
      if (known.causes.size < mostTraces || known.causes.has(cause.traceId)) known.causes.set(cause.traceId, cause);
    },
    begin(task, node) {
      const { causes, since } = pending.get(task) ?? { causes: new Map<string, SpanContext>(), since: 0 };
      pending.delete(task);
      const taken = tracer.now();
      return [...causes.values()].map((parent) => {
        const span = tracer.start(`${names[task] ?? task} on ${node}`, { parent, at: since });
        span.child("queue wait", { at: since }).end({ at: taken });
        return span;
      });
    },
  };
}
