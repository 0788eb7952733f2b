// orrery down: removes a cluster.
import type { Command } from "commander";
import { down } from "../cluster/down.ts";
import { withLock } from "../cluster/lock.ts";
import { allStates, checkName, clusterLock } from "../cluster/state.ts";
import { realIo, withCluster } from "./cluster-option.ts";

/** Adds `down` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("down"))
    .summary("remove a cluster and everything it made")
    .description(
      "Removes containers, volumes, network, routes and files of a cluster. Built images stay, so the next up is quick.",
    )
    .option("--all", "every cluster of this user")
    .addHelpText("after", "\nExamples:\n  orrery down\n  orrery down --name second\n  orrery down --all")
    .action(async (flags: { readonly name: string; readonly all?: boolean }) => {
      const io = realIo();
      const names = flags.all === true ? (await allStates()).map((state) => state.name) : [checkName(flags.name)];
      for (const name of names) await withLock(clusterLock(name), io.clock, () => down(name, io));
    });
};
