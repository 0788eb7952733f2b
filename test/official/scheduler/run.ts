// test/official/scheduler-compare [--seeds FROM-TO] [--only FEATURE,...] [--without FEATURE,...] [--settle MS] [--no-minimize]
// Places generated pods with kube-scheduler and with this project's scheduler, and prints where they disagree.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { programs } from "../specs.ts";
import { compare, type Disagreement } from "./compare.ts";
import { kubeScheduler, type Original } from "./kube-scheduler.ts";
import { minimized } from "./minimize.ts";
import { type Feature, features, generatedScenario, type Scenario } from "./scenario.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1-50" },
    only: { type: "string", default: "" },
    without: { type: "string", default: "" },
    settle: { type: "string", default: "100" },
    "no-minimize": { type: "boolean", default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(2);
}
if (!existsSync(join(programs, "kube-scheduler"))) fail("kube-scheduler is missing: run test/official/build peers");
function featuresIn(list: string): readonly Feature[] {
  const names = list.split(",").filter((name) => name !== "");
  for (const name of names)
    if (!features.some((feature) => feature === name))
      fail(`no feature is named ${name}; there are ${features.join(", ")}`);
  return features.filter((feature) => names.includes(feature));
}
const [only, without] = [featuresIn(values.only), featuresIn(values.without)];
const [from = 1, to = from] = values.seeds.split("-").map(Number);
const settleMs = Number(values.settle);
/** Watches may have been late: what differs must differ again after this time. */
const longSettleMs = 10 * settleMs;

/** Prints the smallest scenario that was found in which they still differ so. */
async function explain(scenario: Scenario, first: Disagreement, original: Original): Promise<void> {
  say(`    ${first.text}`);
  if (values["no-minimize"]) return;
  const differsStill = async (smaller: Scenario): Promise<boolean> => {
    const { disagreements } = await compare(smaller, original, settleMs);
    return disagreements.some(({ kind }) => kind === first.kind);
  };
  const smallest = await minimized(scenario, differsStill);
  const { nodes, objects, bound, steps } = smallest;
  for (const { text } of (await compare(smallest, original, settleMs)).disagreements) say(`    minimized: ${text}`);
  for (const object of [...nodes, ...objects, ...bound, ...steps]) say(`---\n${stringify(object).trimEnd()}`);
}

const original = await kubeScheduler();
const began = performance.now();
const counts = { placed: 0, pending: 0, preemptions: 0, stuck: 0, disagreements: 0 };
try {
  for (let seed = from; seed <= to; seed++) {
    const scenario = generatedScenario(seed, { only, without });
    let result = await compare(scenario, original, settleMs);
    if (result.disagreements.length > 0) result = await compare(scenario, original, longSettleMs);
    const { disagreements, placed, pending, preemptions, isStuck } = result;
    if (isStuck) counts.stuck++;
    counts.placed += placed;
    counts.pending += pending;
    counts.preemptions += preemptions;
    counts.disagreements += disagreements.length;
    if (disagreements.length === 0) continue;
    say(`seed ${seed} (${scenario.features.join(" ")}), ${scenario.nodes.length} nodes: ${disagreements.length}`);
    for (const { pod, kind } of disagreements) say(`  ${kind} of ${pod}`);
    for (const kind of new Set(disagreements.map((d) => d.kind)))
      await explain(scenario, disagreements.find((d) => d.kind === kind)!, original);
  }
} finally {
  await original.close();
}
const minutes = (performance.now() - began) / 60_000;
const total = counts.placed + counts.pending;
say(`${total} pods (${(total / minutes).toFixed(0)} a minute), ${counts.placed} placed, ${counts.pending} pending`);
say(`${counts.preemptions} after preemption, ${counts.stuck} that kube-scheduler did not try again after one`);
say(`${counts.disagreements} disagreements`);
process.exit(counts.disagreements > 0 ? 1 : 0);
