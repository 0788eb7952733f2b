// The scheduler as a process: room is kept until the outcome of a binding is known.
import { expect, test } from "vitest";
import { ApiError } from "../../../api/errors.ts";
import type { Client } from "../../../machinery/client.ts";
import type { World } from "../../../machinery/world.ts";
import { pod, running } from "./running.ts";

/** Two pods for a node with room for one. */
async function live(wire: (client: Client, world: World) => Client): Promise<readonly string[]> {
  const scheduler = await running([pod("first"), pod("second")], { wire });
  await scheduler.until(60);
  await scheduler.stop();
  return Object.keys(await scheduler.bound());
}

test("room for one goes to one", async () => expect(await live((client) => client)).toHaveLength(1));

test("a binding that arrives after we gave up does not find its room given away", async () => {
  let lost = 0;
  const bound = await live((client, { clock }) => ({
    ...client,
    async update(r, object, part) {
      if (part !== "binding" || lost++ > 0) return client.update(r, object, part);
      // It will arrive all the same, long after.
      void clock
        .sleep(5_000)
        .then(() => client.update(r, object, part))
        .catch(() => {});
      throw new ApiError("Timeout", "no answer");
    },
  }));
  expect(bound).toHaveLength(1);
});

test("a binding that took effect although its answer was lost counts", async () => {
  let lost = 0;
  const bound = await live((client) => ({
    ...client,
    async update(r, object, part) {
      const done = await client.update(r, object, part);
      if (part === "binding" && lost++ === 0) throw new ApiError("Timeout", "no answer");
      return done;
    },
  }));
  expect(bound).toHaveLength(1);
});
