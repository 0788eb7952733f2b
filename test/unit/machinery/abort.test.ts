// Many may wait on one signal: each hears of its end once, and whoever has gone does not.
import { expect, test } from "vitest";
import { onAbort } from "../../../machinery/abort.ts";

test("everybody who still waits hears of the end, once, in the order they came", () => {
  const end = new AbortController();
  const heard: string[] = [];
  onAbort(end.signal, () => heard.push("first"));
  const off = onAbort(end.signal, () => heard.push("gone"));
  onAbort(end.signal, () => heard.push("last"));
  off();
  end.abort();
  end.abort();
  expect(heard).toEqual(["first", "last"]);
});

test("one listener may wait twice, and is taken off one at a time", () => {
  const end = new AbortController();
  let heard = 0;
  const listener = (): void => void heard++;
  const off = onAbort(end.signal, listener);
  onAbort(end.signal, listener);
  off();
  off();
  end.abort();
  expect(heard).toBe(1);
});

test("after everybody has gone, whoever comes is heard again", () => {
  const end = new AbortController();
  const heard: string[] = [];
  onAbort(end.signal, () => heard.push("gone"))();
  onAbort(end.signal, () => heard.push("new"));
  end.abort();
  expect(heard).toEqual(["new"]);
});

test("whoever comes after the end hears of it at once", () => {
  let heard = 0;
  onAbort(AbortSignal.abort(), () => heard++)();
  expect(heard).toBe(1);
});
