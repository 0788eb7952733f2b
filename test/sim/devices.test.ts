// Lives of a cluster whose pods use devices. `node test/sim/one.ts SEED 1 devices` lives a failing seed again.
import { expect, test } from "vitest";
import { lives } from "./lives.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Math.ceil(Number(process.env["SEEDS"] ?? 60) / 3);

test(`${count} lives with devices: none is allocated twice, and every pod has its own at the end`, async () => {
  for await (const { seed, violations, unsettled } of lives({ first, count, scenario: { workloads: ["devices"] } }))
    expect({ seed, violations, unsettled }).toEqual({ seed, violations: [], unsettled: [] });
});
