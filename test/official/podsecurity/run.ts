// Compares what this project's pod security says of generated pods with Kubernetes' own policies, word for word.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { details, reasons, violationsOf } from "../../../apiserver/admission/podsecurity/checks.ts";
import { parseLevel, parseVersion } from "../../../apiserver/admission/podsecurity/levels.ts";
import { chanceOf } from "../scheduler/chance.ts";
import { generatedPod } from "./pods.ts";

const { values } = parseArgs({ options: { pods: { type: "string", default: "20000" }, program: { type: "string" } } });
const versions = ["latest", ...Array.from({ length: 40 }, (_, minor) => `v1.${minor}`)];
const questions = Array.from({ length: Number(values.pods) }, (_, i) => {
  const chance = chanceOf(i + 1);
  const level = chance.pick(["baseline", "restricted", "restricted"]);
  return { level, version: chance.pick(versions), pod: generatedPod(chance) };
});

const input = questions.map((question) => `${JSON.stringify(question)}\n`).join("");
const { stdout, stderr, status } = spawnSync(values.program!, [], { input, encoding: "utf8", maxBuffer: 2 ** 30 });
if (status !== 0) throw new Error(`${values.program} failed: ${stderr}`);
const lines = stdout.trimEnd().split("\n");

let [different, forbidden] = [0, 0];
for (const [i, { level, version, pod }] of questions.entries()) {
  const at = { ...parseLevel(level), ...parseVersion(version) } as Parameters<typeof violationsOf>[0];
  const found = violationsOf(at, pod);
  const own = JSON.stringify({ reasons: reasons(found), details: details(found) });
  const theirs = JSON.stringify(JSON.parse(lines[i]!));
  if (found.length > 0) forbidden++;
  if (own === theirs) continue;
  different++;
  if (different <= 5) console.log(JSON.stringify({ level, version, pod }), "\n  own    ", own, "\n  theirs ", theirs);
}
console.log(`${questions.length} pods, ${forbidden} forbidden, ${different} judged differently`);
process.exitCode = different === 0 ? 0 : 1;
