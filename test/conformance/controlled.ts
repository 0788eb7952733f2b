// The controllers, beside the server as they are in a cluster.
import { runControllers } from "../../controllers/controllers.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { Stage } from "./behaviour.ts";

/** With the controllers at work, for as long as it takes. */
export async function whileControlled({ server }: Stage, body: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const autoscaler = { periodMs: 15_000, shrinkWindowSeconds: 300 };
  const options = { rootCa: server.ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000, autoscaler };
  const running = runControllers(
    server.inProcess,
    realWorld(() => {}),
    options,
    stop.signal,
  ).catch(() => {});
  try {
    await body();
  } finally {
    stop.abort();
    await running;
  }
}
/** How long to wait for what they do. */
export const patience = { timeout: 45_000, interval: 50 };
