// Completion scripts are derived from the program, so that they include new commands.
import { execFileSync } from "node:child_process";
import { Command } from "commander";
import { expect, test } from "vitest";
import { register, wordsAfter } from "../../../../cli/commands/completion.ts";

const program = (): Command => {
  const orrery = new Command("orrery");
  orrery.command("up").option("--nodes <n>", "how many");
  orrery.command("node").command("add").option("-q, --quiet", "say less");
  register(orrery);
  return orrery;
};

test("a command is followed by its subcommands and options", () => {
  expect(wordsAfter(program())).toEqual(["up", "node", "completion", "--help"]);
  expect(wordsAfter(program().commands[1]!.commands[0]!)).toEqual(["--quiet", "-q", "--help"]);
});

const complete = async (words: readonly string[]): Promise<string> => {
  const chunks: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: string) => chunks.push(text) > 0) as typeof write;
  try {
    await program().parseAsync(["completion", "bash"], { from: "user" });
  } finally {
    process.stdout.write = write;
  }
  const ask = `COMP_WORDS=(${words.join(" ")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _orrery; echo "\${COMPREPLY[*]}"`;
  return execFileSync("bash", ["-c", `${chunks.join("")}\n${ask}`], { encoding: "utf8" }).trim();
};

const typed = [
  ["the start of a command", ["orrery", "no"], "node"],
  ["a subcommand", ["orrery", "node", "a"], "add"],
  ["an option of a subcommand", ["orrery", "node", "add", "--q"], "--quiet"],
  ["an option after another", ["orrery", "up", "--nodes", "--n"], "--nodes"],
] as const;
for (const [what, words, expected] of typed)
  test(`bash completes ${what}`, async () => expect(await complete(words)).toBe(expected));
