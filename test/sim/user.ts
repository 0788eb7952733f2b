// A user of the simulated cluster: the registry's verbs, the eviction API, and a metrics API that serves a load.
import { pods } from "../../api/core/pods.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import { evict } from "../../apiserver/verbs/subresources.ts";
import type { World } from "../../machinery/world.ts";
import { sharedLoad } from "./load.ts";
import type { User } from "./workloads/workload.ts";

/** The addresses of the simulated cluster. */
export const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };

export function simulatedUser(storage: Storage, world: World): User {
  const registry = clusterRegistry(storage, world, ranges);
  const client = inProcessClient(registry, { measured: sharedLoad(inProcessClient(registry)) });
  const r = pods as unknown as ResourceDefinition;
  return {
    ...client,
    evict: (key, options = {}) => evict(registry, { r, key }, { ...options, dryRun: false }),
  };
}
