// test/official/run [AREA ...] [--focus RE] [--skip RE] [--procs N] [--seconds N] [--all] [--report]
// Runs areas of the official suite (all of them when none is named), or the specs a regular expression picks, against
// the cluster of $KUBECONFIG or this project's own, and writes docs/conformance.md after areas.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { areaOf, areas, focusOfAll, missingFor } from "./areas.ts";
import { type AreaRun, conformancePage } from "./report.ts";
import { type Outcome, programs, runSpecs, specsOf } from "./specs.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".cache/official");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    focus: { type: "string" },
    skip: { type: "string" },
    procs: { type: "string", default: "3" },
    seconds: { type: "string", default: "3600" },
    all: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);
function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(2);
}
const unknown = positionals.filter((name) => !areas.some((a) => a.name === name));
if (unknown.length > 0)
  fail(`no area is named ${unknown.join(", ")}; there are ${areas.map((a) => a.name).join(", ")}`);
if (!existsSync(join(programs, "e2e.test")))
  fail("the suite is not built: run test/official/build first (needs Go 1.26)");

mkdirSync(folder, { recursive: true });
const kubeconfig =
  process.env["KUBECONFIG"] ?? execFileSync(join(root, "orrery"), ["kubeconfig"], { encoding: "utf8" }).trim();
const limits = { kubeconfig, seconds: Number(values.seconds) };

function tell(outcomes: readonly Outcome[]): void {
  for (const { spec, state, seconds } of outcomes)
    if (state === "failed") say(`  failed ${spec} (${seconds.toFixed(0)} s)`);
  say(`  ${outcomes.filter(({ state }) => state === "passed").length} of ${outcomes.length} passed`);
}

/** A regular expression that matches a name, in Go's syntax. Ginkgo puts the suite's description before names. */
const literal = (spec: string): string => spec.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

async function specNames(): Promise<readonly string[]> {
  const file = join(folder, "specs.json");
  if (!existsSync(file))
    writeFileSync(file, JSON.stringify(await specsOf(focusOfAll, join(folder, "dry-run"), kubeconfig)));
  return JSON.parse(readFileSync(file, "utf8")) as readonly string[];
}

async function runArea(name: string, isSerial: boolean, specs: readonly string[]): Promise<void> {
  const chosen = specs.filter((s) => areaOf(s)?.name === name && (values.all || missingFor(s) === undefined));
  say(`${name}: ${chosen.length} specs`);
  // Without a focus ginkgo would run every spec there is.
  if (chosen.length === 0) return;
  const focus = chosen.map(literal).join("|");
  const procs = isSerial ? 1 : Number(values.procs);
  const outcomes = await runSpecs({ ...limits, folder: join(folder, name), focus, procs });
  tell(outcomes);
  const run: AreaRun = { area: name, date: new Date().toISOString().slice(0, 10), outcomes };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(run));
}

function writePage(specs: readonly string[]): void {
  const files = areas.map(({ name }) => join(folder, `${name}.json`)).filter((file) => existsSync(file));
  const runs = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as AreaRun);
  writeFileSync(join(root, "docs/conformance.md"), conformancePage(specs, runs));
  say("written: docs/conformance.md");
}

if (values.focus !== undefined) {
  const procs = Number(values.procs);
  const selection = { focus: values.focus, ...(values.skip !== undefined && { skip: values.skip }) };
  tell(await runSpecs({ ...limits, ...selection, folder: join(folder, "focus"), procs }));
} else {
  const specs = await specNames();
  const chosen = areas.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (!values.report) for (const { name, isSerial = false } of chosen) await runArea(name, isSerial, specs);
  writePage(specs);
}
