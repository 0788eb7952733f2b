// Many ask, few questions are put, and every answer is younger than its question.
import { expect, test } from "vitest";
import { coalesce } from "../../../apiserver/storage/coalesce.ts";

/** Something that is asked about, and answers when told to. */
function oracle() {
  let truth = 0;
  const open: (() => void)[] = [];
  const fail: (() => void)[] = [];
  return {
    turns: () => void truth++,
    ask: (): Promise<number> => {
      const found = truth;
      return new Promise((resolve, reject) => {
        open.push(() => resolve(found));
        fail.push(() => reject(new Error("no answer")));
      });
    },
    answer: (i: number) => open[i]?.(),
    fails: (i: number) => fail[i]?.(),
    questions: () => open.length,
  };
}
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("who asks while an answer is on its way waits for the next one, with all the others", async () => {
  const of = oracle();
  const ask = coalesce(of.ask);
  const first = ask();
  of.turns();
  const late = [ask(), ask(), ask()];
  expect(of.questions()).toBe(1);
  of.answer(0);
  expect(await first).toBe(0);
  await soon();
  expect(of.questions()).toBe(2);
  of.answer(1);
  expect(await Promise.all(late)).toEqual([1, 1, 1]);
});

test("a question without an answer is no answer to those who asked later", async () => {
  const of = oracle();
  const ask = coalesce(of.ask);
  const first = ask();
  const second = ask();
  of.fails(0);
  await expect(first).rejects.toThrow("no answer");
  await soon();
  of.answer(1);
  expect(await second).toBe(0);
  const third = ask();
  of.answer(2);
  expect([await third, of.questions()]).toEqual([0, 3]);
});
