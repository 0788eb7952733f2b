// Runs all controllers against an in-process server, under a virtual clock.
import { namespaces } from "../../../api/core/namespaces.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { type ControllerOptions, runControllers } from "../../../controllers/controllers.ts";
import type { Client } from "../../../machinery/client.ts";
import type { KindRegistry } from "../../../machinery/kind-registry.ts";
import type { World } from "../../../machinery/world.ts";
import { beginning, seeded, type VirtualClock, virtualClock } from "../../sim/virtual-clock.ts";

export interface Running {
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly world: World;
  /** Advances the clock by seconds. */
  pass(seconds: number): Promise<void>;
  /** Controllers to run instead of the default ones. */
  readonly runControllers?: typeof runControllers;
}

/** A server with the namespace "default" and the built-in or given kinds. */
export async function server(kinds?: KindRegistry): Promise<Running> {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(7), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, { ...ranges, ...(kinds && { kinds }) }));
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" } } as never);
  let passed = 0;
  const pass = async (seconds: number): Promise<void> => {
    passed += seconds * 1000;
    await clock.run(beginning + passed);
  };
  return { client, clock, world, pass };
}

/** Runs the body beside the controllers. */
export async function whileControlled(
  running: Running,
  options: Partial<ControllerOptions>,
  body: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const all = {
    ...{ rootCa: "the certificate of the authority", clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000 },
    autoscaler: { periodMs: 15_000, shrinkWindowSeconds: 300 },
    ...options,
  };
  const run = running.runControllers ?? runControllers;
  const done = run(running.client, running.world, all, stop.signal).catch(() => {});
  try {
    await running.pass(1);
    await body();
  } finally {
    stop.abort(new Error("enough"));
    await done;
  }
}
