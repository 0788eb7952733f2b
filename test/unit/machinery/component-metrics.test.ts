// Component metrics in the Prometheus format.
import { expect, test } from "vitest";
import { componentMetrics } from "../../../machinery/component-metrics.ts";
import { workQueue } from "../../../machinery/workqueue.ts";
import { beginning, virtualClock } from "../../sim/virtual-clock.ts";

test("queue metrics: adds, depth, work duration, unfinished work and retries", async () => {
  const clock = virtualClock();
  const metrics = componentMetrics(clock);
  const stop = new AbortController();
  const queue = workQueue<string>(clock, stop.signal, metrics.queue("pods"));
  metrics.observe("pods", queue);
  queue.add("a");
  queue.add("a");
  queue.add("b");
  await clock.run(beginning + 2_000);
  const taken = queue.take(stop.signal)[Symbol.asyncIterator]();
  expect((await taken.next()).value).toBe("a");
  await clock.run(beginning + 5_000);
  const text = await metrics.metrics();
  for (const line of [
    `workqueue_depth{name="pods"} 1`,
    `workqueue_adds_total{name="pods"} 2`,
    `workqueue_queue_duration_seconds_sum{name="pods"} 2`,
    `workqueue_unfinished_work_seconds{name="pods"} 3`,
    `workqueue_longest_running_processor_seconds{name="pods"} 3`,
    `workqueue_work_duration_seconds_count{name="pods"} 0`,
  ])
    expect(text).toContain(line);
  queue.retry("a");
  queue.done("a");
  metrics.reconciled("pods", "error", 3_000);
  const after = await metrics.metrics();
  for (const line of [
    `workqueue_retries_total{name="pods"} 1`,
    `workqueue_unfinished_work_seconds{name="pods"} 0`,
    `workqueue_work_duration_seconds_sum{name="pods"} 3`,
    `controller_runtime_reconcile_total{controller="pods",result="error"} 1`,
    `controller_runtime_reconcile_time_seconds_sum{controller="pods"} 3`,
  ])
    expect(after).toContain(line);
  stop.abort(new Error("enough"));
});
