// The spans of a pod's worker: one from the change that gives it work until nothing is left to do, with its actions as
// parts. While the pod is not ready yet, later work continues the same trace.
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import { type SpanContext, spanObject } from "../../api/explanation/trace.ts";
import type { Pod } from "../../api/generated/types.ts";
import { keyOf, revisionOf } from "../../api/meta.ts";
import type { Span, Tracer } from "../../machinery/trace.ts";
import type { PodAction } from "./actions.ts";

/** An action under way. */
export interface ActionSpan {
  readonly context: SpanContext;
  end(error?: Error): void;
}
export interface PodSpans {
  /** A version of the pod has arrived. */
  changed(pod: Pod): void;
  begin(pod: Pod, action: PodAction | { readonly do: "report" }): ActionSpan;
  /** Nothing is under way and nothing is to be done now. */
  rested(): void;
}

const names: Readonly<Record<PodAction["do"] | "report", string>> = {
  mountVolumes: "mount volumes",
  unmountVolumes: "unmount volumes",
  runSandbox: "run sandbox",
  getImage: "get image",
  create: "create and start container",
  start: "start container",
  resize: "resize container",
  stop: "stop container",
  remove: "remove container",
  recordBackoff: "back-off",
  release: "release volumes, network and cgroup",
  deleteFromApi: "delete from the API",
  report: "report status",
};

const isReady = (pod: Pod): boolean =>
  isTerminal(pod) || conditionOf(pod.status?.conditions, "Ready")?.status === "True";

/** No work yet. */
export function podSpans(tracer: Tracer): PodSpans {
  let cause: SpanContext | undefined;
  let arrived: number | undefined;
  let sync: Span | undefined;
  let last: SpanContext | undefined;
  let wasReady = false;
  const started = (pod: Pod): Span => {
    // A pod that was ready begins a new trace: what happens to it now has other causes.
    const parent = cause ?? (wasReady ? undefined : last);
    const at = cause ? arrived : undefined;
    const key = keyOf(pod);
    const object = spanObject(pods, key);
    const span = tracer.start(`sync pod ${key}`, { parent, object, ...(at !== undefined && { at }) });
    [cause, arrived, wasReady] = [undefined, undefined, false];
    last = span.context;
    return span;
  };
  return {
    changed(pod) {
      const span = tracer.causeOf({ kind: pods.kind, key: keyOf(pod), revision: revisionOf(pod) });
      // What this worker wrote comes back, and is of the trace it belongs to.
      if (span && span.traceId !== last?.traceId) [cause, arrived] = [span, tracer.now()];
      if (isReady(pod)) wasReady = true;
    },
    begin(pod, action) {
      sync ??= started(pod);
      const container = "container" in action ? ` ${action.container}` : "";
      const span = sync.child(`${names[action.do]}${container}`);
      const until = action.do === "recordBackoff" ? action.until : undefined;
      return {
        context: span.context,
        end: (error) => span.end({ error: error?.message, ...(until !== undefined && { at: until }) }),
      };
    },
    rested() {
      sync?.end();
      sync = undefined;
    },
  };
}
