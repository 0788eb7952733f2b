// Lives of a cluster with network policies. `node test/sim/one.ts SEED 1 policies` lives a failing seed again.
import { expect, test } from "vitest";
import { lives } from "./lives.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Math.ceil(Number(process.env["SEEDS"] ?? 60) / 3);

test(`${count} lives with network policies: nodes forward what policies allow, and nothing else`, async () => {
  for await (const { seed, violations, unsettled } of lives({ first, count, scenario: { workloads: ["policies"] } }))
    expect({ seed, violations, unsettled }).toEqual({ seed, violations: [], unsettled: [] });
});
