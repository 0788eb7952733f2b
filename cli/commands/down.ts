// orrery down: removes a cluster.
import type { Command } from "commander";
import { removeContext } from "../client/kubeconfig-edit.ts";
import { kubeconfigFiles, orreryKubeconfig } from "../client/kubeconfig-files.ts";
import { down } from "../cluster/down.ts";
import { withLock } from "../cluster/lock.ts";
import { allStates, checkName, clusterLock } from "../cluster/state.ts";
import type { Environment } from "../program/global-flags.ts";
import { realIo, withCluster } from "./cluster-option.ts";

interface Flags {
  readonly environment: Environment;
  readonly name: string;
  readonly all?: boolean;
}

/** Removes the cluster's context from the user's kubeconfig files. One that cannot be changed does not stop `down`. */
async function forgetContext(name: string, environment: Environment): Promise<void> {
  const context = (await orreryKubeconfig(name).catch(() => undefined))?.["current-context"];
  if (!context) return;
  for (const file of kubeconfigFiles({ environment })) await removeContext(file, context).catch(() => {});
}

/** Adds `down` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("down"))
    .summary("remove a cluster and everything it made")
    .description(
      "Removes containers, volumes, network, routes and files of a cluster. Built images stay, so the next up is quick.",
    )
    .option("--all", "every cluster of this user")
    .addHelpText("after", "\nExamples:\n  orrery down\n  orrery down --name second\n  orrery down --all")
    .action(async (flags: Flags) => {
      const io = realIo();
      const names = flags.all === true ? (await allStates()).map((state) => state.name) : [checkName(flags.name)];
      for (const name of names) {
        await forgetContext(name, flags.environment);
        await withLock(clusterLock(name), io.clock, () => down(name, io));
      }
    });
};
