// Runs 1,000 simulations of a cluster, twelve virtual minutes each, on one core: their duration and invariant violations.
import { createHash } from "node:crypto";
import { simulate } from "../test/sim/cluster.ts";
import { median, report } from "./report.ts";

const seeds = Number(process.argv[2] ?? 1_000);

/** The duration of a fixed amount of similar work (hashing, parsing, promises): the present speed of the machine. */
async function yardstick(): Promise<number> {
  const text = JSON.stringify({
    list: Array.from({ length: 40 }, (_, i) => ({
      name: `pod-${i}`,
      labels: { app: "web" },
      spec: { containers: [{ name: "c" }] },
    })),
  });
  const began = performance.now();
  for (let i = 0; i < 10_000; i++) {
    createHash("sha256").update(text).digest();
    await Promise.resolve(JSON.parse(text));
  }
  return performance.now() - began;
}

const yardsticks = [await yardstick()];
let [commits, wrong] = [0, 0];
const began = performance.now();
for (let seed = 1; seed <= seeds; seed++) {
  const { violations, unsettled, commits: made } = await simulate({ seed, single: true });
  commits += made;
  if (violations.length + unsettled.length === 0) continue;
  wrong++;
  process.stdout.write(`seed ${seed}: ${JSON.stringify([...violations.slice(0, 3), ...unsettled])}\n`);
}
const seconds = (performance.now() - began) / 1000;
yardsticks.push(await yardstick());
process.stdout.write(`${seeds} simulations, ${commits} commits, ${((1000 * seconds) / seeds).toFixed(0)} ms each\n`);
report({
  what: `${seeds} simulations of 12 minutes`,
  value: seconds,
  unit: "s",
  beside: { what: "10,000 documents hashed and parsed", value: median(yardsticks), unit: "ms" },
  budget: { atMost: (60 * seeds) / 1_000 },
});
report({ what: "simulations with violations", value: wrong, unit: "seeds", budget: { atMost: 0 } });
