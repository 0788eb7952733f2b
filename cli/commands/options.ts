// orrery options: lists the flags that all commands about objects accept.
import type { Command } from "commander";
import { globalOptions } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

/** Adds `options` to the program. */
export const register = (program: Command): void => {
  program.command("options").action(() => {
    printLine("All commands about objects accept these flags:\n");
    for (const { flags, description, hidden } of globalOptions)
      if (!hidden) printLine(`  ${flags.startsWith("--") ? "    " : ""}${flags}`.padEnd(42) + description);
  });
};
