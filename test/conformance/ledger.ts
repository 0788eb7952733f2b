// The published conformance behaviours, and the state of each, computed from the test files.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The round of work of a behaviour: what it needs beside an API server. */
export type Round = "api" | "cluster" | "extension";
/** Rounds whose behaviours are required now. */
export const requiredRounds: readonly Round[] = ["api"];

/** One published behaviour. */
export interface Entry {
  readonly area: string;
  readonly feature: string;
  readonly when: Round;
  readonly name: string;
}
/** Tested: a test has the name. Open: required, without a test. Later: not required yet. */
export type State = "tested" | "open" | "later";

const folder = import.meta.dirname;

/** All of them, in the order of the file. */
export const ledger: readonly Entry[] = readFileSync(join(folder, "ledger.tsv"), "utf8")
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => {
    const [area = "", feature = "", when, name = ""] = line.split("\t");
    return { area, feature, when: when as Round, name };
  });

const plain = (text: string): string => text.replaceAll(/\\(.)/g, "$1");
/** The names passed to `behaviour(…)` in a source, unescaped. */
export const namesIn = (source: string): readonly string[] =>
  [...source.matchAll(/^\s*behaviour\(\s*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')/gm)].map(
    ([, double, single]) => plain(double ?? single ?? ""),
  );
/** Published names that are keys of table rows, each of which is a behaviour. */
export const rowsIn = (source: string): readonly string[] =>
  [...source.matchAll(/^ {2}"((?:[^"\\\n]|\\.)*)":\s+\{/gm)]
    .map(([, name = ""]) => plain(name))
    .filter((name) => ledger.some((entry) => entry.name === name));

/** The names in all test files, with their files. */
export function testedNames(): ReadonlyMap<string, readonly string[]> {
  const root = join(folder, "..");
  const found = globSync("**/*.test.ts", { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const source = readFileSync(join(root, file), "utf8");
      return [...namesIn(source), ...rowsIn(source)].map((name) => ({ name, file }));
    });
  return new Map([...Map.groupBy(found, ({ name }) => name)].map(([name, all]) => [name, all.map((a) => a.file)]));
}

/** The state of a behaviour, by the names that are tested. */
export const stateOf = ({ name, when }: Entry, tested: ReadonlyMap<string, unknown>): State =>
  tested.has(name) ? "tested" : requiredRounds.includes(when) ? "open" : "later";
