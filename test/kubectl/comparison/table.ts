// The page `docs/command-line.md`: how the outcomes of the command lines agree.
import type { CommandLine, Section } from "./lines.ts";
import type { Agreement, Outcome } from "./outcome.ts";

/** A command line, and what it did in both programs. */
export interface Compared extends CommandLine {
  readonly kubectl: Outcome;
  readonly orrery: Outcome;
  readonly agreement: Agreement;
}
/** The compared command lines of a section. */
export interface ComparedSection extends Pick<Section, "title"> {
  readonly lines: readonly Compared[];
}

export const isSame = ({ code, objects, output }: Agreement): boolean => code && objects && output;

const head = `# The command line, beside kubectl

Each of these command lines was run by kubectl and by orrery (both called \`k\`), each against an API server of its own with the same
objects. Compared are the exit code, the bytes of standard output and standard error, and every object that the command created,
changed or deleted. Replaced before comparing are only what no two runs share (times, uids, resource versions, ports, tokens, names
of temporary files) and the program's name.

The lines stand in \`test/kubectl/comparison/commands.txt\`, with the reason of each difference, and the objects they run against in
\`seed.yaml\` beside it. \`test/kubectl/command-line.test.ts\` compares and makes this page:
\`npx vitest run --project etcd test/kubectl/command-line.test.ts -u\` writes it anew.

`;

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const count = <T>(all: readonly T[], holds: (each: T) => boolean): string => `${all.filter(holds).length}`;
/** A command line as a cell. */
export const cellOf = (line: string): string => `\`${line.replaceAll("|", "\\|")}\``;

function summary(kubectl: string, lines: readonly Compared[]): string {
  const reasons = lines.flatMap(({ agreement, reason }) => (isSame(agreement) ? [] : [reason ?? ""]));
  const byReason = Map.groupBy(reasons, (reason) => reason);
  const counts = [...byReason].toSorted(([, a], [, b]) => b.length - a.length);
  return [
    row(["kubectl", "command lines", "same exit code", "same objects", "same output", "same in all"]),
    row(["---", "---", "---", "---", "---", "---"]),
    row([
      kubectl,
      `${lines.length}`,
      count(lines, ({ agreement }) => agreement.code),
      count(lines, ({ agreement }) => agreement.objects),
      count(lines, ({ agreement }) => agreement.output),
      count(lines, ({ agreement }) => isSame(agreement)),
    ]),
    "",
    row(["reason of a difference", "command lines"]),
    row(["---", "---"]),
    ...counts.map(([reason, found]) => row([reason, `${found.length}`])),
    "",
  ].join("\n");
}

const lineRow = ({ line, reason = "", agreement, kubectl, orrery }: Compared): string =>
  row([
    cellOf(line),
    agreement.code ? `${kubectl.code}` : `${kubectl.code}, orrery ${orrery.code}`,
    agreement.objects ? (kubectl.changes.size === 0 ? "–" : "same") : "differ",
    agreement.output ? "same" : "differs",
    reason,
  ]);

/** The page as Markdown. */
export function pageOf(kubectl: string, sections: readonly ComparedSection[]): string {
  const all = sections.flatMap(({ lines }) => lines);
  const parts = sections.map(({ title, lines }) =>
    [
      `## ${title}\n`,
      row(["command line", "exit code", "changed objects", "output", "reason"]),
      row(["---", "---", "---", "---", "---"]),
      ...lines.map(lineRow),
      "",
    ].join("\n"),
  );
  return `${head}${summary(kubectl, all)}\n${parts.join("\n")}`;
}
