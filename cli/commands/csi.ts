// orrery csi: runs the CSI drivers of a node, as a component of a cluster.
import type { Command } from "commander";
import { type AgentConfig, readConfig } from "../cluster/config.ts";
import { runCsiDrivers } from "../csi-drivers.ts";
import { interruption } from "./cluster-option.ts";

/** Adds `csi` to the program. */
export const register = (program: Command): void => {
  program
    .command("csi")
    .summary("run a node's CSI drivers, as a component of a cluster")
    .requiredOption("--config <file>", "the configuration of the node")
    .action(async ({ config }: { readonly config: string }) => {
      const signal = interruption();
      await runCsiDrivers(readConfig<AgentConfig>(config), signal).catch((e: unknown) => {
        if (!signal.aborted) throw e;
      });
    });
};
