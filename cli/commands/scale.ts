// orrery scale: sets the replicas of workloads.
import type { Command } from "commander";
import { pathOf, display, targetsOf } from "../api/resources.ts";
import { CliError } from "../cli-error.ts";
import { namespaceOf, type ObjectFlags, printLine, session, withNamespace } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly replicas: string;
}

/** Adds `scale` to the program. */
export const register = (program: Command): void => {
  withNamespace(program.command("scale <workload> [names...]"))
    .summary("give a workload another size")
    .requiredOption("--replicas <n>", "how many pods")
    .addHelpText("after", "\nExamples:\n  orrery scale deploy/web --replicas 5")
    .action(async (first: string, names: readonly string[], flags: Flags) => {
      if (!/^\d+$/.test(flags.replicas))
        throw new CliError(`"${flags.replicas}" is no number of replicas`, "Give a whole number, 0 or more.");
      const { api, resources } = await session(flags);
      for (const { resource, name } of targetsOf([first, ...names], resources)) {
        if (name === undefined)
          throw new CliError(
            `say which ${resource.plural}`,
            `For example: orrery scale ${resource.singular}/web --replicas 5`,
          );
        const path = `${pathOf(resource, namespaceOf(flags), name)}/scale`;
        await api.request({
          method: "PATCH",
          path,
          body: { spec: { replicas: Number(flags.replicas) } },
          contentType: "application/merge-patch+json",
        });
        printLine(`${display(resource, name)} scaled`);
      }
    });
};
