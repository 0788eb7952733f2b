// node test/sim/mutant.ts NUMBER [SEEDS]: lives through seeds with one mutant's change in the program, until the judge
// notices. Prints each rule that was broken, once. A process of its own, because a module is loaded once.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Change, mutants } from "./mutants.ts";

const [number = 0, seeds = 200] = process.argv.slice(2).map(Number);
const { breaks, and, workloads, elections, ...first } = mutants[number]!;

/** The address of the changed module, and its source. */
function changed({ file, from, to }: Change): readonly [url: string, source: string] {
  const path = join(import.meta.dirname, "../..", file);
  const parts = readFileSync(path, "utf8").split(from);
  if (parts.length !== 2) throw new Error(`${file} contains ${from} ${parts.length - 1} times`);
  return [pathToFileURL(path).href, parts.join(to)];
}
const sources = new Map([first, ...(and ? [and] : [])].map(changed));

registerHooks({
  load(url, context, next) {
    const source = sources.get(url);
    return source === undefined ? next(url, context) : { ...next(url, context), source };
  },
});

const { simulate } = await import("./cluster.ts");
const broken = new Set<string>();
const note = (rule: string): void => {
  if (!broken.has(rule)) console.log(rule);
  broken.add(rule);
  if (rule === breaks) process.exit();
};
for (let seed = 1; seed <= seeds; seed++) {
  const drawn = { ...(workloads && { workloads }), ...(elections && { elections }) };
  const { unsettled } = await simulate({ seed, ...drawn, violation: ({ rule }) => note(rule) });
  if (unsettled.length > 0) note("unsettled");
}
