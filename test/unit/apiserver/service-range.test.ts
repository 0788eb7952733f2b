// The status of the default ServiceCIDR.
import { expect, test } from "vitest";
import { serviceCidrs } from "../../../api/networking/servicecidrs.ts";
import { key } from "../../../api/meta.ts";
import { bootstrapObjects } from "../../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { World } from "../../../machinery/world.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

async function conditionsAfter(...serviceRanges: readonly string[]) {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(1), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  for (const [i, serviceCidr] of serviceRanges.entries()) {
    await clock.run(beginning + i * 60_000);
    await bootstrapObjects(client, [], { address: "10.0.0.1", port: 6443, serviceCidr }, clock.now());
  }
  return (await client.get(serviceCidrs, key(undefined, "kubernetes"))).status?.conditions;
}
const ready = {
  ...{ type: "Ready", status: "True", reason: "", message: "Kubernetes default Service CIDR is ready" },
  lastTransitionTime: "2026-01-01T00:00:00Z",
};

test("the Ready condition of the ServiceCIDR is set once", async () => {
  expect(await conditionsAfter("10.96.0.0/16")).toEqual([ready]);
  expect(await conditionsAfter("10.96.0.0/16", "10.96.0.0/16")).toEqual([ready]);
});
