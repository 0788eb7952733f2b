// What a component counts about its queues and reconciles, under the names Kubernetes' dashboards and alerts know.
import { Gauge, Registry } from "prom-client";
import { counts, distributions } from "./counters.ts";
import type { QueueMetrics, WorkQueue } from "./workqueue.ts";
import type { Clock } from "./world.ts";

/** How a reconcile ended. */
export type ReconcileResult = "success" | "error" | "requeue_after";

/** The metrics of one component. */
export interface ComponentMetrics {
  /** Counters for the queue of this name. */
  queue(name: string): QueueMetrics;
  /** Shows the depth and unfinished work of a queue until another of this name replaces it. */
  observe(name: string, queue: QueueState): void;
  /** Counts a reconcile of a controller that took `ms` milliseconds. */
  reconciled(controller: string, result: ReconcileResult, ms: number): void;
  /** All of it as Prometheus text. */
  metrics(): Promise<string>;
}
type QueueState = Pick<WorkQueue<unknown>, "size" | "active">;

/** From 10 ns, in powers of ten: the buckets of Kubernetes' queues. */
const queueBounds = Array.from({ length: 10 }, (_, i) => 1e-8 * 10 ** i);
const reconcileBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Gauges that are computed when they are read. */
function queueGauges(queues: ReadonlyMap<string, QueueState>, clock: Clock, registry: Registry): void {
  const gauge = (name: string, help: string, measure: (queue: QueueState) => number): Gauge =>
    new Gauge({
      ...{ name, help, labelNames: ["name"], registers: [registry] },
      collect() {
        for (const [queue, state] of queues) this.set({ name: queue }, measure(state));
      },
    });
  const ages = ({ active }: QueueState): readonly number[] =>
    [...active.values()].map((since) => (clock.now() - since) / 1000);
  gauge("workqueue_depth", "Current depth of workqueue.", (queue) => queue.size);
  gauge("workqueue_unfinished_work_seconds", "Age of the work in progress, summed over all workers.", (queue) =>
    ages(queue).reduce((sum, age) => sum + age, 0),
  );
  gauge("workqueue_longest_running_processor_seconds", "Age of the oldest work in progress.", (queue) =>
    Math.max(0, ...ages(queue)),
  );
}

/** Metrics without a value yet. */
export function componentMetrics(clock: Clock): ComponentMetrics {
  const registry = new Registry();
  const queues = new Map<string, QueueState>();
  queueGauges(queues, clock, registry);
  const counter = (name: string, help: string) => counts({ name, help }, registry);
  const histogram = (name: string, help: string, bounds: readonly number[]) =>
    distributions({ name, help, bounds }, registry);
  const adds = counter("workqueue_adds_total", "Total number of adds handled by workqueue.");
  const retries = counter("workqueue_retries_total", "Total number of retries handled by workqueue.");
  const waited = histogram("workqueue_queue_duration_seconds", "How long an item stays in workqueue.", queueBounds);
  const worked = histogram("workqueue_work_duration_seconds", "How long processing an item takes.", queueBounds);
  const reconciles = counter("controller_runtime_reconcile_total", "Reconciliations per controller.");
  const reconcileTime = "controller_runtime_reconcile_time_seconds";
  const took = histogram(reconcileTime, "Length of time per reconciliation.", reconcileBounds);
  return {
    queue(name) {
      const [added, retried, wait, work] = [adds({ name }), retries({ name }), waited({ name }), worked({ name })];
      return {
        added: () => void added.n++,
        retried: () => void retried.n++,
        waited: (ms) => wait.saw(ms / 1000),
        worked: (ms) => work.saw(ms / 1000),
      };
    },
    observe: (name, queue) => void queues.set(name, queue),
    reconciled(controller, result, ms) {
      reconciles({ controller, result }).n++;
      took({ controller }).saw(ms / 1000);
    },
    metrics: () => registry.metrics(),
  };
}
