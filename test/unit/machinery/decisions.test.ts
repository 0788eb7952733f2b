// The decision log: retention, merging and bounds.
import fc from "fast-check";
import { expect, test } from "vitest";
import { instant, type Key, key, revision } from "../../../api/meta.ts";
import { decisionLog, newReasons } from "../../../machinery/decisions.ts";

const limits = { perKey: 2, keys: 3, bytes: 10_000 };
const decision = (name: string, at: number, actions: readonly string[] = [`create pods ${at}`], because = "so") => ({
  ...{ controller: "c", key: key("ns", name), at: instant(at), revision: revision(at) },
  ...{ reasons: [], because: [because], actions },
});
const timesOf = (log: ReturnType<typeof decisionLog>, name: string, controller?: string): readonly number[] =>
  log.of(key("ns", name), controller).map((d) => d.at);

test("decisions: the latest of a key are kept, oldest first", () => {
  const log = decisionLog(limits);
  for (const at of [1, 2, 3]) log.record(decision("a", at));
  expect(timesOf(log, "a")).toEqual([2, 3]);
  expect(timesOf(log, "b")).toEqual([]);
});
test("decisions: of one key by all controllers or one", () => {
  const log = decisionLog(limits);
  log.record({ ...decision("a", 2), controller: "d" });
  log.record(decision("a", 1));
  expect(timesOf(log, "a")).toEqual([1, 2]);
  expect(timesOf(log, "a", "d")).toEqual([2]);
});
test("decisions: repeated decisions without actions are counted", () => {
  const log = decisionLog(limits);
  for (const at of [1, 2, 3]) log.record(decision("a", at, []));
  log.record(decision("a", 4, [], "other"));
  expect(log.of(key("ns", "a")).map(({ at, count }) => [at, count])).toEqual([
    [3, 3],
    [4, 1],
  ]);
});
test("decisions: the least recently decided key is evicted first", () => {
  const log = decisionLog(limits);
  for (const [name, at] of [
    ["a", 1],
    ["b", 2],
    ["c", 3],
    ["a", 4],
    ["d", 5],
  ] as const)
    log.record(decision(name, at));
  expect(["a", "b", "c", "d"].map((name) => timesOf(log, name).length)).toEqual([2, 0, 1, 1]);
});
test("decisions: the bounds hold for any sequence", () => {
  const step = fc.record({ name: fc.constantFrom("a", "b", "c", "d", "e"), length: fc.nat(3_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const log = decisionLog(limits);
      for (const [at, { name, length }] of steps.entries()) log.record(decision(name, at, ["x".repeat(length)]));
      const all = ["a", "b", "c", "d", "e"].map((name) => log.of(key("ns", name)));
      const texts = all.flat().flatMap((d) => d.actions);
      expect(all.filter((of) => of.length > 0).length).toBeLessThanOrEqual(limits.keys);
      expect(all.every((of) => of.length <= limits.perKey)).toBe(true);
      expect(texts.reduce((sum, text) => sum + text.length, 0)).toBeLessThanOrEqual(limits.bytes);
    }),
  );
});

const change = (name: string, at: number, type: "added" | "updated" = "updated") =>
  ({ type, kind: "Pod", key: name as Key, revision: revision(at) }) as const;
test("reasons: merged while a key is queued, and cleared when it is taken", () => {
  const reasons = newReasons();
  const k = key("ns", "web");
  for (const reason of [change("p", 1, "added"), change("p", 2), change("q", 3), change("p", 4)])
    reasons.add(k, reason);
  expect(reasons.take(k)).toEqual([change("p", 1, "added"), change("p", 4), change("q", 3)]);
  expect(reasons.take(k)).toEqual([{ type: "scheduled" }]);
});
test("reasons: the oldest are dropped above the limit", () => {
  const reasons = newReasons();
  const k = key("ns", "web");
  for (let i = 0; i < 100; i++) reasons.add(k, change(`p${i}`, i));
  const kept = reasons.take(k);
  expect(kept).toHaveLength(8);
  expect(kept.at(-1)).toEqual(change("p99", 99));
});
