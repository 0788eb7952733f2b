// Tracing of a node's programs: their spans are sent to the API server, which keeps and exports them. A node needs no
// way to a collector of its own.
import type { SpanRecord } from "../../api/explanation/trace.ts";
import type { HttpSession } from "../../machinery/http-session.ts";
import { preciseNow } from "../../machinery/real-world.ts";
import { type Tracer, tracer } from "../../machinery/trace.ts";
import type { World } from "../../machinery/world.ts";

const periodMs = 500;
const batchSize = 512;
/** What cannot be sent for long is dropped, oldest first. */
const mostWaiting = 8_192;

export interface AgentTracing {
  readonly tracer: Tracer;
  /** Sends spans through this session until the signal aborts. */
  run(session: HttpSession, signal: AbortSignal): Promise<void>;
}

/** The tracer of a node's agent. */
export function agentTracing(node: string, { clock, random, log }: World): AgentTracing {
  let waiting: SpanRecord[] = [];
  const record = (span: SpanRecord): void => {
    waiting.push(span);
    if (waiting.length > mostWaiting) waiting = waiting.slice(-mostWaiting / 2);
  };
  return {
    tracer: tracer({ component: "kubelet", node, random, now: preciseNow, record }),
    async run(session, signal) {
      let isFailing = false;
      while (!signal.aborted) {
        await clock.sleep(periodMs, signal).catch(() => {});
        if (waiting.length === 0) continue;
        const spans = waiting.slice(0, batchSize);
        const outcome = await session.ask({ method: "POST", path: "/traces", body: { spans } }).then(
          ({ status }) => (status === 200 ? undefined : `status ${status}`),
          (e: Error) => e.message,
        );
        if (outcome === undefined) waiting = waiting.filter((span) => !spans.includes(span));
        else if (!isFailing && !signal.aborted) log("spans not sent", { error: outcome });
        isFailing = outcome !== undefined;
      }
    },
  };
}
