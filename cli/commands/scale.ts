// orrery scale: sets the replicas of workloads.
import type { Command } from "commander";
import { display, pathOf } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { targetsOf } from "../client/targets.ts";
import { CliError } from "../cli-error.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

interface Flags extends GlobalFlags {
  readonly replicas: string;
}

/** Adds `scale` to the program. */
export const register = (program: Command): void => {
  program
    .command("scale <workload> [names...]")
    .summary("give a workload another size")
    .requiredOption("--replicas <n>", "how many pods")
    .addHelpText("after", "\nExamples:\n  orrery scale deploy/web --replicas 5")
    .action(async (first: string, names: readonly string[], flags: Flags) => {
      if (!/^\d+$/.test(flags.replicas))
        throw new CliError(`"${flags.replicas}" is no number of replicas`, "Give a whole number, 0 or more.");
      const scope = await session(flags);
      for (const { resource, namespace, name } of await targetsOf(scope, [first, ...names], {})) {
        const path = `${pathOf(resource, namespace, name)}/scale`;
        await scope.api.request({
          method: "PATCH",
          path,
          body: { spec: { replicas: Number(flags.replicas) } },
          contentType: "application/merge-patch+json",
        });
        printLine(`${display(resource, name ?? "")} scaled`);
      }
    });
};
