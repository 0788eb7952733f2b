// The span of one attempt to schedule a pod: its wait in the queue, the decision, and the binding.
import { pods } from "../api/core/pods.ts";
import { spanObject } from "../api/explanation/trace.ts";
import type { Pod } from "../api/generated/types.ts";
import { revisionOf } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { Tracer } from "../machinery/trace.ts";
import type { QueuedPod } from "./framework.ts";

export interface AttemptSpan {
  /** The decision is made: the node, or why there is none. */
  decided(outcome: string): void;
  /** Begins the binding, or the report of a rejection, whose writes this client makes. */
  writing(name: "bind" | "report rejection", client: Client): Client;
  end(error?: string): void;
}

/** Begins the span of an attempt that the queue has handed out. */
export function attemptSpan(tracer: Tracer, { key, timestamp, attempts }: QueuedPod, pod: Pod): AttemptSpan {
  const parent = tracer.causeOf({ kind: pods.kind, key, revision: revisionOf(pod) });
  const taken = tracer.now();
  const since = Math.min(timestamp, taken);
  const options = { parent, at: since, object: spanObject(pods, key), attributes: { attempt: attempts } };
  const span = tracer.start(`schedule pod ${key}`, options);
  span.child("queue wait", { at: since }).end({ at: taken });
  let write: ReturnType<typeof span.child> | undefined;
  return {
    decided(outcome) {
      span.child("decide", { at: taken, attributes: { outcome } }).end();
    },
    writing(name, client) {
      write = span.child(name);
      return client.inSpan(write.context);
    },
    end(error) {
      write?.end({ error });
      span.end({ error });
    },
  };
}
