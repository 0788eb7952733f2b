// Rate of progress events: the first immediately, later ones batched, a last one before the end.
import { expect, test } from "vitest";
import { revision } from "../../../api/meta.ts";
import { type Pace, paced } from "../../../apiserver/watch/watch.ts";
import type { StoredEvent } from "../../../apiserver/registry/listing.ts";
import { virtualClock } from "../../sim/virtual-clock.ts";

/** The events sent for history steps at these times, as "ms: revision". */
async function sentEvents(
  steps: readonly (readonly [ms: number, type: "PROGRESS" | "ADDED"])[],
  pace: Pace,
  untilMs: number,
) {
  const clock = virtualClock();
  const stop = new AbortController();
  const sent: string[] = [];
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
      sent.push(`${clock.now() - began}: ${event.type === "PROGRESS" ? "" : "event "}${event.revision}`);
  })();
  await clock.run(began + untilMs);
  stop.abort();
  await reading;
  return sent;
}

const progress = (...ms: readonly number[]) => ms.map((at) => [at, "PROGRESS"] as const);
test("the first progress event is sent immediately, later ones are batched", async () => {
  expect(await sentEvents(progress(10, 20, 30, 40), { everyMs: 100 }, 500)).toEqual(["10: 1", "110: 4"]);
});
test("infrequent progress events are sent immediately", async () => {
  expect(await sentEvents(progress(10, 200, 400), { everyMs: 100 }, 500)).toEqual(["10: 1", "200: 2", "400: 3"]);
});
test("events are sent immediately and do not count as progress", async () => {
  const steps = [...progress(10), [50, "ADDED"], [60, "ADDED"]] as const;
  expect(await sentEvents(steps, { everyMs: 100 }, 500)).toEqual(["10: 1", "50: event 2", "60: event 3"]);
});
test("a progress event is sent before the end, also without changes", async () => {
  expect(await sentEvents([[50, "ADDED"]], { everyMs: 1000, lastAfterMs: 300 }, 500)).toEqual([
    "50: event 1",
    "300: 1",
  ]);
  expect(await sentEvents([], { everyMs: 1000, lastAfterMs: 300 }, 500)).toEqual(["300: 0"]);
});
