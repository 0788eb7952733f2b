// Lives of a cluster with pod groups. `node test/sim/one.ts SEED 1 gangs` lives a failing seed again.
import { expect, test } from "vitest";
import { lives } from "./lives.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Math.ceil(Number(process.env["SEEDS"] ?? 60) / 3);

test(`${count} lives with pod groups: enough pods of a gang are bound or none, and in the end none waits that fits`, async () => {
  for await (const { seed, violations, unsettled } of lives({ first, count, scenario: { workloads: ["gangs"] } }))
    expect({ seed, violations, unsettled }).toEqual({ seed, violations: [], unsettled: [] });
});
