// The table of what was tried with which kubectl, as it is made and made again on machines that have fewer of them.
import { expect, test } from "vitest";
import { commandsOf, storiesOf, tableOf } from "../kubectl/commands.ts";

const commands = ["create", "create secret", "create secret tls", "get", "top"];
const told = storiesOf(
  new Map([
    ["first", ["get pods", "create secret tls t", "getting nowhere"]],
    ["second", ["get nodes", "top"]],
  ]),
  commands,
);
const rowsOf = (table: string): readonly string[] => table.split("\n").filter((row) => /^\| `/.test(row));
const both = new Map([
  ["kubectl.1.30", told],
  ["kubectl.1.33", told],
]);

test("a command is told of by the first story it was in, a group by those inside it", () => {
  expect(rowsOf(tableOf({ commands, columns: both }, ""))).toEqual([
    "| `create` | first | ✓ | ✓ |",
    "| `create secret` | first | ✓ | ✓ |",
    "| `create secret tls` | first | ✓ | ✓ |",
    "| `get` | first | ✓ | ✓ |",
    "| `top` | second | ✓ | ✓ |",
  ]);
});
test("what nobody tried stays empty", () => {
  const columns = new Map([["kubectl.1.33", storiesOf(new Map([["first", ["get pods"]]]), commands)]]);
  expect(rowsOf(tableOf({ commands, columns }, "")).at(-1)).toBe("| `top` |  |  |");
});
test("kubectls that are not at hand stay as they are, and so do the commands of the newest", () => {
  const whole = tableOf({ commands, columns: both }, "");
  const fewer = new Map([["kubectl.1.30", told]]);
  expect(tableOf({ commands: ["get", "something old"], columns: fewer }, whole)).toBe(whole);
  expect(tableOf({ commands, columns: new Map([["kubectl.1.30", new Map()]]) }, whole)).not.toBe(whole);
});
test("commands are those the help lists, with those inside them", async () => {
  const help: Readonly<Record<string, string>> = {
    "--help": "What it is.\n\nBasic Commands (Beginner):\n  create          Make\n\nUsage:\n  kubectl [flags]\n",
    "create --help": "Make.\n\nAvailable Commands:\n  secret   Make one\n\nOptions:\n  --x=y\n",
    "create secret --help": "Make one.\n\nAvailable Commands:\n  tls   Of this sort\n",
  };
  const run = async (words: readonly string[]) => ({ code: 0, out: help[words.join(" ")] ?? "No more.\n", err: "" });
  expect(await commandsOf(run)).toEqual(["create", "create secret", "create secret tls"]);
});
