// Coalesced reads: concurrent callers share one read, which begins after each of their calls.
import { expect, test } from "vitest";
import { coalesce } from "../../../apiserver/storage/coalesce.ts";

/** A value whose reads complete on demand. */
function oracle() {
  let current = 0;
  const open: (() => void)[] = [];
  const fail: (() => void)[] = [];
  return {
    change: () => void current++,
    ask: (): Promise<number> => {
      const value = current;
      return new Promise((resolve, reject) => {
        open.push(() => resolve(value));
        fail.push(() => reject(new Error("read failed")));
      });
    },
    complete: (i: number) => open[i]?.(),
    fails: (i: number) => fail[i]?.(),
    questions: () => open.length,
  };
}
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("callers that arrive while a read is in flight share the next one", async () => {
  const of = oracle();
  const ask = coalesce(of.ask);
  const first = ask();
  of.change();
  const late = [ask(), ask(), ask()];
  expect(of.questions()).toBe(1);
  of.complete(0);
  expect(await first).toBe(0);
  await soon();
  expect(of.questions()).toBe(2);
  of.complete(1);
  expect(await Promise.all(late)).toEqual([1, 1, 1]);
});

test("a failed read does not fail later callers", async () => {
  const of = oracle();
  const ask = coalesce(of.ask);
  const first = ask();
  const second = ask();
  of.fails(0);
  await expect(first).rejects.toThrow("read failed");
  await soon();
  of.complete(1);
  expect(await second).toBe(0);
  const third = ask();
  of.complete(2);
  expect([await third, of.questions()]).toEqual([0, 3]);
});
