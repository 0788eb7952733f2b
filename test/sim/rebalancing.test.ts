// Lives of a cluster whose pods are moved. `node test/sim/one.ts SEED 1 rebalancing` lives a failing seed again.
import { expect, test } from "vitest";
import { lives } from "./lives.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Math.ceil(Number(process.env["SEEDS"] ?? 60) / 3);

test(`${count} lives with a descheduler: budgets hold, and in the end nothing is left to move`, async () => {
  for await (const { seed, violations, unsettled } of lives({ first, count, scenario: { workloads: ["rebalancing"] } }))
    expect({ seed, violations, unsettled }).toEqual({ seed, violations: [], unsettled: [] });
});
