// The commands a kubectl has, as it lists them itself, and the table of those that were tried.
import type { CommandResult } from "./kubectl.ts";

/** Words a command is called by: `create secret tls`. */
type Command = string;

/** The commands that a help text lists. */
function listed(help: string): readonly string[] {
  const sections = help.split(/\n(?=\S)/).filter((section) => /^[^\n]*Commands[^\n]*:\n/.test(section));
  return sections.flatMap((section) => [...section.matchAll(/^ {2}([a-z][\w-]*) /gm)].map(([, name]) => name!));
}

/** Every command, each before those inside it. */
export async function commandsOf(
  run: (words: readonly string[]) => Promise<CommandResult>,
): Promise<readonly Command[]> {
  const below = async (words: readonly string[]): Promise<readonly Command[]> => {
    const inside = listed((await run([...words, "--help"])).out);
    const all: Command[] = [];
    for (const name of inside) {
      const path = [...words, name];
      all.push(path.join(" "), ...(path.length < 3 ? await below(path) : []));
    }
    return all;
  };
  return below([]);
}

/** The command a line begins with: the longest that is one. */
const commandIn = (line: string, commands: readonly Command[]): Command | undefined =>
  commands
    .filter((command) => line === command || line.startsWith(`${command} `))
    .toSorted((a, b) => b.length - a.length)[0];

/** By command, the first story it was tried in; `lines` are those of each story, in the order they are told. */
export function storiesOf(
  lines: ReadonlyMap<string, readonly string[]>,
  commands: readonly Command[],
): ReadonlyMap<Command, string> {
  const stories = new Map<Command, string>();
  for (const [story, result] of lines)
    for (const line of result) {
      const command = commandIn(line, commands);
      if (command !== undefined && !stories.has(command)) stories.set(command, story);
    }
  return stories;
}

/** Which commands were tried with which kubectl, and in what: one row a command, one column a kubectl. */
export interface Trials {
  /** Those of the newest kubectl. */
  readonly commands: readonly Command[];
  /** By the name of a kubectl: the story each command was tried in. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<Command, string>>;
}

const head = `# kubectl, every command

Every command of unmodified kubectls works with this server: a ✓ means that it was run with that version, and succeeded with the
output expected; – means that this version has no such command. The second column names the scenario in
\`test/kubectl/scenarios\`. A command that only groups others counts when one of them was run. Each kubectl also reads its own
kubeconfig: \`kubectl --kubeconfig "$(./orrery kubeconfig)"\`, or the current context that \`orrery up\` sets.

\`test/kubectl/kubectl.test.ts\` runs the scenarios and makes this table:
\`npx vitest run --project etcd test/kubectl/kubectl.test.ts -u\` writes it anew, and keeps the columns of kubectls that this machine
lacks. How \`orrery\`, the command line, compares with kubectl stands in [command-line.md](command-line.md).

`;

/** The minor version that a command came with, where older kubectls are tried that lack it. */
const since: Readonly<Record<Command, number>> = { kuberc: 36 };
const isMissing = (name: string, command: Command): boolean =>
  Number(name.split(".").at(-1)) < (since[command.split(" ")[0]!] ?? 0);

const groups = (group: Command, command: Command): boolean => command.startsWith(`${group} `);
const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const title = (kubectl: string): string => kubectl.replace("kubectl.", "");

/** The table as Markdown. What the kubectls at hand cannot tell, it goes on to say as `before`. */
export function tableOf({ commands, columns }: Trials, before: string): string {
  const old = readTable(before);
  const own = new Map([...columns].map(([name, stories]) => [title(name), stories]));
  const titles = [...new Set([...old.titles, ...own.keys()])].toSorted();
  const isNewestHere = own.has(titles.at(-1)!);
  const storyOf = (stories: ReadonlyMap<Command, string>, command: Command): string | undefined =>
    stories.get(command) ?? [...stories].find(([other]) => groups(command, other))?.[1];
  const cell = (name: string, command: Command): string => {
    if (isMissing(name, command)) return "–";
    const stories = own.get(name);
    if (!stories) return old.cells.get(command)?.get(name) ?? "";
    return storyOf(stories, command) === undefined ? "" : "✓";
  };
  const story = (command: Command): string =>
    [...own.values()].map((stories) => storyOf(stories, command)).find((text) => text !== undefined) ??
    old.cells.get(command)?.get(storyTitle) ??
    "";
  // The newest kubectl says which commands there are; where it is missing, the table itself does.
  const rows = (isNewestHere ? commands : [...old.cells.keys()]).map((command) =>
    line([`\`${command}\``, story(command), ...titles.map((name) => cell(name, command))]),
  );
  const first = ["command", storyTitle, ...titles];
  return `${head}${[line(first), line(first.map(() => "---")), ...rows].join("\n")}\n`;
}

/** The kubectls a table has columns of, by their names: `kubectl.1.33`. */
export const kubectlsIn = (table: string): readonly string[] =>
  readTable(table).titles.map((name) => `kubectl.${name}`);

const storyTitle = "tried in";

/** What a table says: the kubectls it has columns of, and each row's cells by the title of their column. */
function readTable(table: string): {
  readonly titles: readonly string[];
  readonly cells: ReadonlyMap<Command, ReadonlyMap<string, string>>;
} {
  const lines = table.split("\n").filter((text) => text.startsWith("|"));
  const [all = [], , ...rows] = lines.map((text) =>
    text
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const cells = rows.map(
    ([command = "", ...rest]) =>
      [command.replaceAll("`", ""), new Map(rest.map((text, i) => [all[i + 1] ?? "", text]))] as const,
  );
  return { titles: all.slice(2), cells: new Map(cells) };
}
