// orrery autoscaler: adds and removes nodes of a cluster, as a component of it.
import type { Command } from "commander";
import { type AutoscalerConfig, readConfig } from "../cluster/config.ts";
import { runClusterAutoscaler } from "../cluster-autoscaler.ts";
import { interruption } from "./cluster-option.ts";

/** Adds `autoscaler` to the program. */
export const register = (program: Command): void => {
  program
    .command("autoscaler")
    .summary("add and remove nodes by what pods request, as a component of a cluster")
    .requiredOption("--config <file>", "the configuration of the autoscaler")
    .action(async ({ config }: { readonly config: string }) => {
      const signal = interruption();
      await runClusterAutoscaler(readConfig<AutoscalerConfig>(config), signal).catch((e: unknown) => {
        if (!signal.aborted) throw e;
      });
    });
};
