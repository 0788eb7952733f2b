// Abort listeners: each is called once, and removed ones are not called.
import { expect, test } from "vitest";
import { onAbort } from "../../../machinery/abort.ts";

test("remaining listeners are called once, in order of registration", () => {
  const end = new AbortController();
  const calls: string[] = [];
  onAbort(end.signal, () => calls.push("first"));
  const off = onAbort(end.signal, () => calls.push("gone"));
  onAbort(end.signal, () => calls.push("last"));
  off();
  end.abort();
  end.abort();
  expect(calls).toEqual(["first", "last"]);
});

test("a listener registered twice is removed once per call", () => {
  const end = new AbortController();
  let calls = 0;
  const listener = (): void => void calls++;
  const off = onAbort(end.signal, listener);
  onAbort(end.signal, listener);
  off();
  off();
  end.abort();
  expect(calls).toBe(1);
});

test("a listener added after all others were removed is called", () => {
  const end = new AbortController();
  const calls: string[] = [];
  onAbort(end.signal, () => calls.push("gone"))();
  onAbort(end.signal, () => calls.push("new"));
  end.abort();
  expect(calls).toEqual(["new"]);
});

test("a listener on an aborted signal is called immediately", () => {
  let calls = 0;
  onAbort(AbortSignal.abort(), () => calls++)();
  expect(calls).toBe(1);
});
