// The format of `commands.txt`: sections of command lines, each with the reason why the programs differ, if they do.

/** A command line, in which `k` is the program. */
export interface CommandLine {
  readonly line: string;
  /** Why the programs differ. */
  readonly reason: string | undefined;
}
/** Command lines that run one after the other against a server of their own. */
export interface Section {
  readonly title: string;
  readonly lines: readonly CommandLine[];
}

/**
 * `## TITLE` begins a section, `#` a comment. Each other line is a command, and an indented line below it the reason.
 */
export function parseSections(text: string): readonly Section[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [title = "", ...rest] = part.split("\n");
      const lines: CommandLine[] = [];
      for (const line of rest) {
        if (line.trim() === "" || line.startsWith("#")) continue;
        const last = lines.at(-1);
        if (!line.startsWith(" ")) lines.push({ line, reason: undefined });
        else if (last) lines[lines.length - 1] = { ...last, reason: line.trim() };
      }
      return { title, lines };
    });
}
