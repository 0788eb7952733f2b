// How often progress is told: the first at once, later ones gathered, a last one before the end.
import { expect, test } from "vitest";
import { revision } from "../../../api/meta.ts";
import { type Pace, paced } from "../../../apiserver/watch/watch.ts";
import type { StoredEvent } from "../../../apiserver/registry/listing.ts";
import { virtualClock } from "../../sim/virtual-clock.ts";

/** What is told when history makes these steps at these times, each as "ms: revision". */
async function told(
  steps: readonly (readonly [ms: number, type: "PROGRESS" | "ADDED"])[],
  pace: Pace,
  untilMs: number,
) {
  const clock = virtualClock();
  const stop = new AbortController();
  const heard: string[] = [];
  async function* history(): AsyncGenerator<StoredEvent> {
    let at = 0;
    for (const [i, [ms, type]] of steps.entries()) {
      await clock.sleep(ms - at, stop.signal).catch(() => {});
      at = ms;
      yield { type, revision: revision(i + 1), stored: undefined } as unknown as StoredEvent;
    }
    await clock.sleep(untilMs - at, stop.signal).catch(() => {});
  }
  const began = clock.now();
  const reading = (async () => {
    for await (const event of paced(history(), { ...pace, from: revision(0) }, clock, stop.signal))
      heard.push(`${clock.now() - began}: ${event.type === "PROGRESS" ? "" : "event "}${event.revision}`);
  })();
  await clock.run(began + untilMs);
  stop.abort();
  await reading;
  return heard;
}

const progress = (...ms: readonly number[]) => ms.map((at) => [at, "PROGRESS"] as const);
test("the first progress is told at once, those after it together", async () => {
  expect(await told(progress(10, 20, 30, 40), { everyMs: 100 }, 500)).toEqual(["10: 1", "110: 4"]);
});
test("progress that comes seldom is told when it comes", async () => {
  expect(await told(progress(10, 200, 400), { everyMs: 100 }, 500)).toEqual(["10: 1", "200: 2", "400: 3"]);
});
test("events are told as they come, and are no news about progress", async () => {
  const steps = [...progress(10), [50, "ADDED"], [60, "ADDED"]] as const;
  expect(await told(steps, { everyMs: 100 }, 500)).toEqual(["10: 1", "50: event 2", "60: event 3"]);
});
test("before the end it is said how far history has come, whether or not it moved", async () => {
  expect(await told([[50, "ADDED"]], { everyMs: 1000, lastAfterMs: 300 }, 500)).toEqual(["50: event 1", "300: 1"]);
  expect(await told([], { everyMs: 1000, lastAfterMs: 300 }, 500)).toEqual(["300: 0"]);
});
