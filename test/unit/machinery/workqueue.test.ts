// The work queue: deduplication, exclusive processing and delayed adds, under a virtual clock.
import { expect, test } from "vitest";
import { backoff, workQueue } from "../../../machinery/workqueue.ts";
import { beginning, virtualClock } from "../../sim/virtual-clock.ts";

const end = new AbortController();

test("a key added many times before it is taken is taken once", async () => {
  const queue = workQueue<string>(virtualClock());
  for (const key of ["a", "b", "a", "a"]) queue.add(key);
  const taken: string[] = [];
  for await (const key of queue.take(end.signal)) {
    taken.push(key);
    queue.done(key);
    if (queue.size === 0) break;
  }
  expect(taken).toEqual(["a", "b"]);
});

test("a key is not processed concurrently, and is taken again when added during processing", async () => {
  const clock = virtualClock();
  const queue = workQueue<string>(clock);
  const stop = new AbortController();
  let [atOnce, most, times] = [0, 0, 0];
  const worker = async (): Promise<void> => {
    for await (const key of queue.take(stop.signal)) {
      most = Math.max(most, ++atOnce);
      times++;
      if (times === 1) queue.add(key);
      await clock.sleep(100);
      atOnce--;
      queue.done(key);
    }
  };
  const workers = [worker(), worker()];
  queue.add("a");
  await clock.run(beginning + 1_000);
  stop.abort();
  await Promise.all(workers);
  expect({ most, times }).toEqual({ most: 1, times: 2 });
});

test("a delayed add can be moved earlier, but not later", async () => {
  const clock = virtualClock();
  const queue = workQueue<string>(clock);
  queue.addAfter("a", 500);
  queue.addAfter("a", 100);
  queue.addAfter("a", 900);
  await clock.run(beginning + 99);
  expect(queue.size).toBe(0);
  await clock.run(beginning + 100);
  expect(queue.size).toBe(1);
});

test("retries have exponential back-off, which success resets", () => {
  expect([1, 2, 3, 4].map((n) => backoff(n))).toEqual([50, 100, 200, 400]);
  expect(backoff(99)).toBe(30_000);
});

test("an aborted queue ends pending takes", async () => {
  const queue = workQueue<string>(virtualClock());
  const stop = new AbortController();
  const taken: string[] = [];
  const taker = (async () => {
    for await (const key of queue.take(stop.signal)) taken.push(key);
  })();
  stop.abort();
  await taker;
  expect(taken).toEqual([]);
});
