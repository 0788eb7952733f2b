// The running scheduler: resources stay assumed until the outcome of a binding is known.
import { expect, test } from "vitest";
import { ApiError } from "../../../api/errors.ts";
import type { Client } from "../../../machinery/client.ts";
import type { World } from "../../../machinery/world.ts";
import { pod, running } from "./running.ts";

/** Two pods and a node that fits one. */
async function live(wire: (client: Client, world: World) => Client): Promise<readonly string[]> {
  const scheduler = await running([pod("first"), pod("second")], { wire });
  await scheduler.until(60);
  await scheduler.stop();
  return Object.keys(await scheduler.bound());
}

test("a node that fits one pod gets one", async () => expect(await live((client) => client)).toHaveLength(1));

test("resources of a binding that times out and arrives later are not assigned to another pod", async () => {
  let lost = 0;
  const bound = await live((client, { clock }) => ({
    ...client,
    async update(r, object, part) {
      if (part !== "binding" || lost++ > 0) return client.update(r, object, part);
      // The request arrives long after the timeout.
      void clock
        .sleep(5_000)
        .then(() => client.update(r, object, part))
        .catch(() => {});
      throw new ApiError("Timeout", "timed out");
    },
  }));
  expect(bound).toHaveLength(1);
});

test("a binding whose response is lost counts", async () => {
  let lost = 0;
  const bound = await live((client) => ({
    ...client,
    async update(r, object, part) {
      const done = await client.update(r, object, part);
      if (part === "binding" && lost++ === 0) throw new ApiError("Timeout", "timed out");
      return done;
    },
  }));
  expect(bound).toHaveLength(1);
});
