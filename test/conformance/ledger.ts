// The published conformance behaviours, and what this checkout says of each: found in the files, never kept by hand.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Which round of work a behaviour belongs to: what it needs beside an API server. */
export type Round = "api" | "cluster" | "extension";
/** Rounds whose behaviours are owed now; those of the others may come early, but nobody waits for them. */
export const owed: readonly Round[] = ["api"];

/** One published behaviour. */
export interface Entry {
  readonly area: string;
  readonly feature: string;
  readonly when: Round;
  readonly name: string;
}
/** Tested: a test carries the name. Open: owed, and no test does. Later: not owed yet. */
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
/** The names that some source gives to `behaviour(…)`, as its quotes and escapes mean them. */
export const namesIn = (source: string): readonly string[] =>
  [...source.matchAll(/^\s*behaviour\(\s*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')/gm)].map(
    ([, double, single]) => plain(double ?? single ?? ""),
  );
/** Published names that head the rows of a table, each of which is played as a behaviour. */
export const rowsIn = (source: string): readonly string[] =>
  [...source.matchAll(/^ {2}"((?:[^"\\\n]|\\.)*)":\s+\{/gm)]
    .map(([, name = ""]) => plain(name))
    .filter((name) => ledger.some((entry) => entry.name === name));

/** Every name that a test file of this project carries, and the files that do. */
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

/** How far a behaviour is, given the names that are tested. */
export const stateOf = ({ name, when }: Entry, tested: ReadonlyMap<string, unknown>): State =>
  tested.has(name) ? "tested" : owed.includes(when) ? "open" : "later";
