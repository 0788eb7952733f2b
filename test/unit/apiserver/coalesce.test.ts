// Coalesced reads: concurrent callers share one read, which begins after each of their calls.
import { expect, test } from "vitest";
import { coalesce } from "../../../apiserver/storage/coalesce.ts";

/** A value whose reads complete on demand. */
function countedReads() {
  let current = 0;
  const open: (() => void)[] = [];
  const fail: (() => void)[] = [];
  return {
    change: () => void current++,
    read: (): Promise<number> => {
      const value = current;
      return new Promise((resolve, reject) => {
        open.push(() => resolve(value));
        fail.push(() => reject(new Error("read failed")));
      });
    },
    complete: (i: number) => open[i]?.(),
    fails: (i: number) => fail[i]?.(),
    reads: () => open.length,
  };
}
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("callers that arrive while a read is in flight share the next one", async () => {
  const source = countedReads();
  const read = coalesce(source.read);
  const first = read();
  source.change();
  const late = [read(), read(), read()];
  expect(source.reads()).toBe(1);
  source.complete(0);
  expect(await first).toBe(0);
  await soon();
  expect(source.reads()).toBe(2);
  source.complete(1);
  expect(await Promise.all(late)).toEqual([1, 1, 1]);
});

test("a failed read does not fail later callers", async () => {
  const source = countedReads();
  const read = coalesce(source.read);
  const first = read();
  const second = read();
  source.fails(0);
  await expect(first).rejects.toThrow("read failed");
  await soon();
  source.complete(1);
  expect(await second).toBe(0);
  const third = read();
  source.complete(2);
  expect([await third, source.reads()]).toEqual([0, 3]);
});
