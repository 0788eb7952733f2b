// The recent changes of the log: found by kind, key and time, and forgotten by age and size.
import fc from "fast-check";
import { expect, test } from "vitest";
import { instant, revision } from "../../../api/meta.ts";
import { compaction } from "../../../apiserver/maintenance.ts";
import { changeBytes } from "../../../apiserver/storage/history.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Change } from "../../../apiserver/storage/storage.ts";

const step = fc.record({
  key: fc.constantFrom("/x/p/a", "/x/p/b", "/x/q/c", "/y"),
  value: fc.option(fc.uint8Array({ maxLength: 8 })),
  ms: fc.nat(3_000),
  compacts: fc.boolean(),
});
const prefixes = ["", "/x/p/", "/x/p/a", "/x/q/", "/y"];

test("history has what a list of all changes has, whatever was compacted", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, pick) => {
    let now = 1_000;
    const { commit, compact, get, history } = memoryStorage(() => instant(now));
    const all: { readonly change: Change; readonly time: number }[] = [];
    for (const { key, value, ms, compacts } of steps) {
      now += ms;
      const before = await get(key);
      if (value === null && !before) continue;
      const done = await commit({ key, expect: before?.modified ?? revision(0), value });
      const at = done.ok ? done.revision : revision(0);
      const current = await get(key);
      all.push({
        change: { key, revision: at, ...(current && { now: current }), ...(before && { before }) },
        time: now,
      });
      if (compacts && ms < 300) await compact(revision(at - (pick % 5)));
    }
    const floor = history.oldest.revision;
    const kept = all.filter(({ change }) => change.revision > floor);
    for (const prefix of prefixes) {
      const expected = kept.map(({ change }) => change).filter(({ key }) => key.startsWith(prefix));
      expect(history.changes(prefix, floor)).toEqual(expected);
      const middle = revision(floor + (pick % (kept.length + 1)));
      expect(history.changes(prefix, middle)).toEqual(expected.filter((change) => change.revision > middle));
      expect(history.changes(prefix, floor, middle)).toEqual(expected.filter((change) => change.revision <= middle));
    }
    for (const key of ["/x/p/a", "/y", "/none"])
      expect(history.changesOf(key)).toEqual(kept.map(({ change }) => change).filter((change) => change.key === key));
    const sizes = kept.map(({ change }) => changeBytes + (change.before?.value.length ?? 0));
    expect(history.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    for (const { change, time } of kept) {
      expect(history.timeOf(change.revision)).toBe(time);
      const last = kept.findLast((other) => other.time <= time);
      expect(history.revisionAt(instant(time))).toBe(last!.change.revision);
    }
    expect(history.revisionAt(instant(history.oldest.time - 1))).toBeUndefined();
    const beyond = history.beyond(2_000);
    const left = kept.filter(({ change }) => change.revision > (beyond ?? 0));
    const size = (some: typeof kept): number =>
      some.reduce((sum, { change }) => sum + changeBytes + (change.before?.value.length ?? 0), 0);
    expect(size(left)).toBeLessThanOrEqual(2_000);
    if (beyond !== undefined)
      expect(size(kept.filter(({ change }) => change.revision >= beyond))).toBeGreaterThan(2_000);
  });
  await fc.assert(property, { numRuns: 200 });
});

const minute = 60_000;
const at = (n: number) => ({ revision: revision(n), time: instant(0) });
test.each<[what: string, old: number | undefined, beyond: number | undefined, upTo: number, shared: number]>([
  ["nothing is old", undefined, undefined, 10, 10],
  ["what is older than the limit goes", 500, undefined, 500, 500],
  ["what is beyond the limit of memory goes, and may stay where servers share it", 500, 700, 700, 500],
  ["the older limit goes without saying", 700, 500, 700, 700],
])("compaction: %s", (_, old, beyond, upTo, shared) => {
  const times: number[] = [];
  const history = {
    ...{ newest: at(1_000), oldest: at(10), beyond: () => (beyond === undefined ? undefined : revision(beyond)) },
    revisionAt(time: number) {
      times.push(time);
      return old === undefined ? undefined : revision(old);
    },
  };
  expect(compaction(history, { ageMs: minute, bytes: 1 }, instant(5 * minute))).toEqual({ upTo, shared });
  expect(times).toEqual([4 * minute]);
});
test("compaction: a store that servers share keeps no more than a server reads at its start", () => {
  const history = { newest: at(50_000), oldest: at(10), beyond: () => undefined, revisionAt: () => undefined };
  expect(compaction(history, { ageMs: minute, bytes: 1 }, instant(0))).toEqual({ upTo: 10, shared: 30_000 });
});
