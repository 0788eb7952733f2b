// The server of the simulated cluster: the registry's verbs, and a metrics API that serves a load.
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import type { InProcessIdentity } from "../../apiserver/registry/authorized-client.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { sharedLoad } from "./load.ts";

/** The addresses of the simulated cluster. */
export const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };

/** The server's clients: one of a user who may do everything, and those of components. */
export interface SimulatedServer {
  readonly user: Client;
  as(identity: InProcessIdentity): Client;
}

export function simulatedServer(storage: Storage, world: World): SimulatedServer {
  const registry = clusterRegistry(storage, world, ranges);
  const options = { measured: sharedLoad(inProcessClient(registry), world.clock) };
  return {
    user: inProcessClient(registry, options),
    as: (identity) => inProcessClient(registry, { ...options, identity }),
  };
}
