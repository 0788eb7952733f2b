// The help of the program: its commands by purpose, without loading any of them.
import type { CommandTable } from "./command-row.ts";

/** What `orrery --help` prints. */
export function helpText(table: CommandTable): string {
  const groups = Map.groupBy(
    Object.entries(table).filter(([, { summary }]) => summary !== ""),
    ([, { group }]) => group,
  );
  const sections = [...groups].map(([group, commands]) => {
    const lines = commands.map(([name, { summary }]) => `  ${name.padEnd(16)} ${summary}`);
    return [`${group}:`, ...lines, ""].join("\n");
  });
  return [
    "Orrery is Kubernetes as one readable program: a real cluster on this machine, and a command line for any cluster.",
    "",
    ...sections,
    "Usage:",
    "  orrery COMMAND [flags]",
    "",
    'Use "orrery COMMAND --help" for more about a command, and "orrery options" for the flags that all accept.',
    "",
  ].join("\n");
}
