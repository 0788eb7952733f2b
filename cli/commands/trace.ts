// orrery trace: shows the last change of an object on its way through the cluster, as one waterfall.
import type { Command } from "commander";
import type { Trace } from "../../api/explanation/trace.ts";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import { objectPrinter } from "../printers/output.ts";
import { waterfall } from "../printers/waterfall.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

interface Flags extends GlobalFlags {
  readonly output?: string;
}
const formats = ["json", "wide", "yaml"];

async function trace(args: readonly string[], flags: Flags): Promise<void> {
  if (args.length === 0) throw new CliError("say which object", "For example: orrery trace deployment/web");
  const isWide = flags.output === "wide";
  const printer = flags.output === undefined || isWide ? undefined : await objectPrinter(flags, formats);
  const scope = await session(flags);
  for (const target of await targetsOf(scope, args, {})) {
    const found = await scope.api.get<Trace>(`/traces${targetPath(target)}`);
    process.stdout.write(printer?.(found) ?? waterfall(found, { isWide, width: process.stdout.columns ?? 120 }));
  }
}

/** Adds `trace` to the program. */
export const register = (program: Command): void => {
  program
    .command("trace [objects...]")
    .summary("show how the last change of an object went through the cluster")
    .description(
      "Shows the trace of the last change of an object: the request, its admission and commit, and all that controllers, the scheduler, kubelets and the nodes' networks did because of it, each under what caused it, with when it began and how long it took. Needs a cluster that was started with --trace.",
    )
    .option("-o, --output <format>", "json, yaml, or wide: also why each step was taken")
    .addHelpText("after", "\nExamples:\n  orrery trace deployment/web\n  orrery trace pod web-1 -n shop -o wide")
    .action(trace);
};
