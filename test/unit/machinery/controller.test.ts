// The loop around every decision: it reads its own writes, tries again, and does not write a broken thing a hundred
// times.
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
/** Wants five maps in all, and makes what its view does not show. */
const wanted = 5;
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
  // What happens is heard of late, as over a wire.
  const slow: Client = {
    ...client,
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
const untilWanted = ({ all }: Seen): Decision => ({
  actions: Array.from({ length: Math.max(0, wanted - all.length) }, (_, n) => make(n)),
});

test("a controller that reads its own writes makes what is missing once", async () =>
  expect(await (await live({}, untilWanted)).made()).toBe(wanted));
test("without that, a late view makes it make too many", async () =>
  expect(await (await live({ readYourWrites: false }, untilWanted)).made()).toBeGreaterThan(wanted));

test("a write whose fate is unknown is waited for before the next look", async () => {
  let lost = 0;
  const forgetful = (client: Client): Client => ({
    ...client,
    create: async (r, draft) => {
      const made = await client.create(r, draft);
      // Done, but the answer never came.
      if (lost++ < 3) throw new ApiError("Timeout", "no answer");
      return made;
    },
  });
  expect(await (await live({}, untilWanted, forgetful)).made()).toBe(wanted);
});

test("a draft the server refuses fails once a look, not once a copy", async () => {
  let [looks, refusals] = [0, 0];
  const refusing = (client: Client): Client => ({
    ...client,
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

test("itself names the object's own key", () =>
  expect(itself({ metadata: { namespace: "a", name: "b" } } as never)).toEqual(["a/b"]));
