// orrery load-balancer: distributes connections to several control planes, as a component of a cluster.
import type { Command } from "commander";
import { realWorld } from "../../machinery/real-world.ts";
import { readConfig } from "../cluster/config.ts";
import type { LoadBalancerConfig } from "../cluster/control-planes.ts";
import { runLoadBalancer } from "../load-balancer.ts";
import { componentLog } from "../logging.ts";
import { interruption } from "./cluster-option.ts";

/** Adds `load-balancer` to the program. */
export const register = (program: Command): void => {
  program
    .command("load-balancer")
    .summary("distribute connections to control planes, as a component of a cluster")
    .requiredOption("--config <file>", "the configuration of the load balancer")
    .action(async ({ config }: { readonly config: string }) => {
      const world = realWorld(componentLog("load-balancer"));
      await runLoadBalancer(readConfig<LoadBalancerConfig>(config), world, interruption());
    });
};
