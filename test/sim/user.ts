// A user of the simulated cluster: the registry's verbs, and a metrics API that serves a load.
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { sharedLoad } from "./load.ts";

/** The addresses of the simulated cluster. */
export const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };

export function simulatedUser(storage: Storage, world: World): Client {
  const registry = clusterRegistry(storage, world, ranges);
  return inProcessClient(registry, { measured: sharedLoad(inProcessClient(registry), world.clock) });
}
