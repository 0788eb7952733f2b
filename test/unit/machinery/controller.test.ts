// The controller loop: it reads its own writes, retries with back-off, and does not repeat refused writes in one
// decision.
import { expect, test } from "vitest";
import { ApiError } from "../../../api/errors.ts";
import type { ConfigMap } from "../../../api/generated/types.ts";
import { configMaps } from "../../../api/core/configmaps.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { type Instant, key } from "../../../api/meta.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Client } from "../../../machinery/client.ts";
import { type Decision, controller, itself } from "../../../machinery/controller.ts";
import { type RunOptions, runController } from "../../../machinery/reconcile.ts";
import { sharedViews } from "../../../machinery/informer.ts";
import type { World } from "../../../machinery/world.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

interface Seen {
  readonly all: readonly ConfigMap[];
}
/** The desired number of ConfigMaps; the controller creates those missing in its view. */
const desired = 5;
const make = (n: number): Decision["actions"][number] => ({
  do: "create",
  resource: configMaps,
  draft: { kind: "ConfigMap", metadata: { generateName: "m-", namespace: "default" }, data: { n: String(n) } },
});

async function live(
  options: RunOptions,
  decide: (seen: Seen, now: Instant) => Decision,
  wrap: (client: Client) => Client = (c) => c,
): Promise<{ readonly client: Client; readonly made: () => Promise<number> }> {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(7), log: () => {} };
  const client = inProcessClient(
    clusterRegistry(memoryStorage(), world, { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } }),
  );
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" } } as never);
  await client.create(configMaps, { kind: "ConfigMap", metadata: { name: "seed", namespace: "default" } });
  // Watch events are delayed, as over a network.
  const slow: Client = {
    ...client,
    asController: () => slow,
    async *watch(r, o, signal) {
      for await (const event of client.watch(r, o, signal)) {
        await clock.sleep(50);
        yield event;
      }
    },
  };
  const stop = new AbortController();
  const views = sharedViews(slow, world);
  const maps = controller({
    name: "maps",
    reconciles: configMaps,
    keysOf: () => [key("default", "all")],
    observe: (views) => ({ all: views.of(configMaps).all() }),
    decide,
  });
  const runtime = { client: wrap(client), world, views };
  const running = [views.run(stop.signal), runController(maps, runtime, stop.signal, options)];
  await clock.run(beginning + 60_000);
  stop.abort(new Error("enough"));
  await Promise.allSettled(running);
  return { client, made: async () => (await client.list(configMaps)).items.length };
}
const untilDesired = ({ all }: Seen): Decision => ({
  actions: Array.from({ length: Math.max(0, desired - all.length) }, (_, n) => make(n)),
});

test("a controller that reads its own writes creates missing objects once", async () =>
  expect(await (await live({}, untilDesired)).made()).toBe(desired));
test("without reading its own writes a stale view creates too many", async () =>
  expect(await (await live({ readYourWrites: false }, untilDesired)).made()).toBeGreaterThan(desired));

test("a write with an unknown outcome is awaited before the next decision", async () => {
  let lost = 0;
  const losingResponses = (client: Client): Client => ({
    ...client,
    asController: (account) => losingResponses(client.asController(account)),
    create: async (r, draft) => {
      const made = await client.create(r, draft);
      // Committed, but the response is lost.
      if (lost++ < 3) throw new ApiError("Timeout", "timed out");
      return made;
    },
  });
  expect(await (await live({}, untilDesired, losingResponses)).made()).toBe(desired);
});

test("a refused draft fails once per decision, not once per copy", async () => {
  let [looks, refusals] = [0, 0];
  const refusing = (client: Client): Client => ({
    ...client,
    asController: (account) => refusing(client.asController(account)),
    create: () => {
      refusals++;
      return Promise.reject(new ApiError("Invalid", "no"));
    },
  });
  await live(
    {},
    () => {
      looks++;
      return { actions: Array.from({ length: 100 }, (_, n) => make(n)) };
    },
    refusing,
  );
  expect(looks).toBeGreaterThan(3);
  expect(refusals).toBe(looks);
});

test("itself is the key of the object", () =>
  expect(itself({ metadata: { namespace: "a", name: "b" } } as never)).toEqual(["a/b"]));
