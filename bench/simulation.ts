// Simulations of a cluster with deployments, twelve virtual minutes each, on all cores: their duration, the CPU time of
// each, and invariant violations; then the CPU time of those with every workload.
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { lives, type LivesOptions } from "../test/sim/lives.ts";
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

interface Run {
  readonly seconds: number;
  /** CPU milliseconds of one simulation. */
  readonly each: number;
  readonly wrong: number;
}
async function run(options: LivesOptions): Promise<Run> {
  let wrong = 0;
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  for await (const { seed, violations, unsettled } of lives(options)) {
    if (violations.length + unsettled.length === 0) continue;
    wrong++;
    process.stdout.write(`seed ${seed}: ${JSON.stringify([...violations.slice(0, 3), ...unsettled])}\n`);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - began) / 1000, each: (user + system) / 1000 / options.count, wrong };
}

const yardsticks = [await yardstick()];
const deployments = await run({ first: 1, count: seeds, scenario: { single: true, workloads: ["deployments"] } });
yardsticks.push(await yardstick());
process.stdout.write(
  `       ${seeds} simulations on ${availableParallelism()} cores, ${deployments.each.toFixed(0)} ms CPU each\n`,
);
report({
  what: `${seeds} simulations of 12 minutes`,
  value: deployments.seconds,
  unit: "s",
  beside: { what: "10,000 documents hashed and parsed", value: median(yardsticks), unit: "ms" },
  budget: { atMost: (45 * seeds) / 1_000 },
});
const all = await run({ first: 1, count: Math.ceil(seeds / 10) });
report({
  what: "CPU of one with every workload and an election",
  value: all.each,
  unit: "ms",
  beside: { what: "with deployments alone", value: deployments.each, unit: "ms" },
  budget: { atMost: 300 },
});
report({
  what: "simulations with violations",
  value: deployments.wrong + all.wrong,
  unit: "seeds",
  budget: { atMost: 0 },
});
