// The keys that leave a session: how they are named, and what passes before them.
import { expect, test } from "vitest";
import { detachBytes, untilDetached } from "../../../../cli/client/detach-keys.ts";

test.each([
  ["ctrl-p,ctrl-q", [16, 17]],
  ["", [16, 17]],
  ["a", [97]],
  ["ctrl-@,ctrl-_,DEL,x", [0, 31, 127, 120]],
])("%s", (keys, bytes) => expect([...detachBytes(keys)]).toEqual(bytes));

test.each(["foo", "ctrl-", "ctrl-9", "a,,b"])("%s is refused", (keys) =>
  expect(() => detachBytes(keys)).toThrow(/^could not bind detach keys: Unknown character: '/),
);

const passed = async (...chunks: readonly string[]): Promise<string> => {
  const input = async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  };
  let text = "";
  for await (const chunk of untilDetached(input(), Buffer.from("pq"))) text += chunk.toString();
  return text;
};

test.each([
  ["all passes without the keys", ["hello", "world"], "helloworld"],
  ["the keys and what follows do not pass", ["helpqlo", "world"], "hel"],
  ["they may be typed one by one", ["a", "p", "q", "b"], "a"],
  ["a part of them passes when another key follows", ["ap", "b", "c"], "apbc"],
  ["the first key twice", ["pp", "q", "c"], "p"],
] as const)("%s", async (_name, chunks, text) => expect(await passed(...chunks)).toBe(text));
