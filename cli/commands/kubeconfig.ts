// orrery kubeconfig: prints the path or content of a cluster's kubeconfig.
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { readAccess } from "../client/access.ts";
import { kubeconfigPath } from "../paths.ts";
import { withCluster } from "./cluster-option.ts";

/** Adds `kubeconfig` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("kubeconfig"))
    .summary("print the path of the kubeconfig file")
    .option("--raw", "print the file itself")
    .addHelpText(
      "after",
      "\nExamples:\n  export KUBECONFIG=$(orrery kubeconfig)\n  kubectl --kubeconfig $(orrery kubeconfig) get pods -A",
    )
    .action(async (flags: { readonly name: string; readonly raw?: boolean }) => {
      await readAccess(flags.name);
      const path = kubeconfigPath(flags.name);
      process.stdout.write(flags.raw === true ? await readFile(path, "utf8") : `${path}\n`);
    });
};
