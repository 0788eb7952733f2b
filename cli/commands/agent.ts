// orrery agent: runs the kubelet and the network of a node, as a component of a cluster.
import type { Command } from "commander";
import { type AgentConfig, readConfig } from "../cluster/config.ts";
import { runNodeAgent } from "../node-agent.ts";
import { interruption } from "./cluster-option.ts";

/** Adds `agent` to the program. */
export const register = (program: Command): void => {
  program
    .command("agent")
    .summary("run a node's kubelet and network, as a component of a cluster")
    .requiredOption("--config <file>", "the configuration of the node")
    .action(async ({ config }: { readonly config: string }) => {
      const signal = interruption();
      await runNodeAgent(readConfig<AgentConfig>(config), signal).catch((e: unknown) => {
        if (!signal.aborted) throw e;
      });
    });
};
