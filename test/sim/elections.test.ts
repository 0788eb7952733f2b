// Lives in which the leading controller manager is paused, cut off and killed: `node test/sim/mutant.ts` shows what the
// rules notice, and test/unit/machinery/leader-election.test.ts has the election alone.
import { expect, test } from "vitest";
import { simulate } from "./cluster.ts";
import { lives } from "./lives.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Math.ceil(Number(process.env["SEEDS"] ?? 60) / 4);

test(`${count} lives with paused and partitioned leaders: no write of a deposed leader, and a new leader soon`, async () => {
  for await (const { seed, violations, unsettled } of lives({
    first,
    count,
    scenario: { elections: true, minutes: 5 },
  }))
    expect({ seed, violations, unsettled }).toEqual({ seed, violations: [], unsettled: [] });
});

test("a life has many terms", async () => {
  const terms = new Set<string>();
  await simulate({
    ...{ seed: first, elections: true, minutes: 5 },
    fact({ key, value }) {
      if (!key.endsWith("/leases/kube-system/kube-controller-manager") || !value) return;
      const { holderIdentity, leaseTransitions } = JSON.parse(Buffer.from(value).toString()).spec;
      if (holderIdentity) terms.add(`${holderIdentity} ${leaseTransitions}`);
    },
  });
  expect(terms.size).toBeGreaterThan(10);
});
