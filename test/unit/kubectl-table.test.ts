// The table of commands tested with each kubectl version, and its update where fewer versions are installed.
import { expect, test } from "vitest";
import { commandsOf, storiesOf, tableOf } from "../kubectl/commands.ts";

const commands = ["create", "create secret", "create secret tls", "get", "top"];
const stories = storiesOf(
  new Map([
    ["first", ["get pods", "create secret tls t", "getting nowhere"]],
    ["second", ["get nodes", "top"]],
  ]),
  commands,
);
const rowsOf = (table: string): readonly string[] => table.split("\n").filter((row) => /^\| `/.test(row));
const both = new Map([
  ["kubectl.1.30", stories],
  ["kubectl.1.33", stories],
]);

test("a command is listed with its first story, a group with those of its subcommands", () => {
  expect(rowsOf(tableOf({ commands, columns: both }, ""))).toEqual([
    "| `create` | first | ✓ | ✓ |",
    "| `create secret` | first | ✓ | ✓ |",
    "| `create secret tls` | first | ✓ | ✓ |",
    "| `get` | first | ✓ | ✓ |",
    "| `top` | second | ✓ | ✓ |",
  ]);
});
test("an untested command has empty cells", () => {
  const columns = new Map([["kubectl.1.33", storiesOf(new Map([["first", ["get pods"]]]), commands)]]);
  expect(rowsOf(tableOf({ commands, columns }, "")).at(-1)).toBe("| `top` |  |  |");
});
test("columns of missing versions and commands of the newest version are kept", () => {
  const complete = tableOf({ commands, columns: both }, "");
  const fewer = new Map([["kubectl.1.30", stories]]);
  expect(tableOf({ commands: ["get", "something old"], columns: fewer }, complete)).toBe(complete);
  expect(tableOf({ commands, columns: new Map([["kubectl.1.30", new Map()]]) }, complete)).not.toBe(complete);
});
test("commands are listed from the help, with subcommands", async () => {
  const help: Readonly<Record<string, string>> = {
    "--help": "What it is.\n\nBasic Commands (Beginner):\n  create          Make\n\nUsage:\n  kubectl [flags]\n",
    "create --help": "Make.\n\nAvailable Commands:\n  secret   Make one\n\nOptions:\n  --x=y\n",
    "create secret --help": "Make one.\n\nAvailable Commands:\n  tls   Of this sort\n",
  };
  const run = async (words: readonly string[]) => ({ code: 0, out: help[words.join(" ")] ?? "No more.\n", err: "" });
  expect(await commandsOf(run)).toEqual(["create", "create secret", "create secret tls"]);
});
