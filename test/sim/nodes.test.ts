// Lives of a cluster that adds and removes nodes. `node test/sim/one.ts SEED 1 nodes` lives a failing seed again.
import { expect, test } from "vitest";
import { lives } from "./lives.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Math.ceil(Number(process.env["SEEDS"] ?? 60) / 3);

test(`${count} lives with an autoscaler: bounded, without flapping, and every pod has a node at the end`, async () => {
  for await (const { seed, violations, unsettled } of lives({ first, count, scenario: { workloads: ["nodes"] } }))
    expect({ seed, violations, unsettled }).toEqual({ seed, violations: [], unsettled: [] });
});
