// The file format of recorded commands: `$ command`, its output, `! ` before lines of standard error, `=> ` before an
// exit code that is not 0.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a command printed, and its exit code. */
export interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}
export interface Recorded extends Outcome {
  readonly line: string;
}

/** Where the commands run: their files are here. */
export const folder = join(import.meta.dirname, "files");
export const recording = join(import.meta.dirname, "recorded.txt");

/** The arguments of a line: words and quoted texts; `@` prints the generated object in one line. */
export const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].flatMap(([word]) =>
    word === "@" ? ["--dry-run=client", "-o", 'jsonpath={$}{"\\n"}'] : [word.replaceAll("'", "")],
  );

const lineOf = (text: string): string => (text === "" ? "" : `${text}\n`);

/** The commands of a recording. */
export function parseRecording(text: string): readonly Recorded[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((block) => {
      const [line = "", ...rest] = block.trimEnd().split("\n");
      const code = rest.find((each) => each.startsWith("=> "));
      const err = rest.filter((each) => each.startsWith("! ")).map((each) => each.slice(2));
      const out = rest.filter((each) => !each.startsWith("! ") && !each.startsWith("=> "));
      return {
        line,
        code: code === undefined ? 0 : Number(code.slice(3)),
        out: lineOf(out.join("\n")),
        err: lineOf(err.join("\n")),
      };
    });
}

export const readRecording = (): readonly Recorded[] => parseRecording(readFileSync(recording, "utf8"));

/** One command of a recording. */
export const blockOf = ({ line, out, err, code }: Recorded): string =>
  `$ ${line}\n${out}${err.replaceAll(/^(?=.)/gm, "! ")}${code === 0 ? "" : `=> ${code}\n`}`;
