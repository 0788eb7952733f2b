// orrery why: shows why a pod is on its node, or on none, and what would have to change.
import type { Command } from "commander";
import type { SchedulingExplanation } from "../../api/explanation/scheduling.ts";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import { objectPrinter } from "../printers/output.ts";
import { explanationText } from "../printers/scheduling-explanation.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly output?: string;
}
interface Explanation {
  readonly object: { readonly namespace: string; readonly name: string };
  readonly scheduling: SchedulingExplanation;
}
const formats = ["json", "wide", "yaml"];

async function why(args: readonly string[], flags: Flags): Promise<void> {
  if (args.length === 0) throw new CliError("say which pod", "For example: orrery why pod/web-1");
  const isWide = flags.output === "wide";
  const printer = flags.output === undefined || isWide ? undefined : await objectPrinter(flags, formats);
  const scope = await session(flags);
  const targets = await targetsOf(scope, args, {}, { defaultType: "pods" });
  const other = targets.find(({ resource }) => resource.kind !== "Pod");
  if (other)
    throw new CliError(`${other.resource.plural} are not explained, only pods`, "Name a pod: orrery why pod/NAME");
  for (const target of targets) {
    const explanation = await scope.api.get<Explanation>(`/explain${targetPath(target)}`);
    const { object, scheduling } = explanation;
    const options = { isWide, now: clock.now() };
    const text = printer?.(explanation) ?? explanationText(`${object.namespace}/${object.name}`, scheduling, options);
    process.stdout.write(text);
  }
}

/** Adds `why` to the program. */
export const register = (program: Command): void => {
  program
    .command("why [pods...]")
    .summary("show why a pod is on its node, or on none")
    .description(
      "Shows the scheduler's last decisions about pods: for every node its scores by plugin or which plugin rejected it and why, what would have to change for a pod that fits nowhere, and what the pod waits for.",
    )
    .option("-o, --output <format>", "json, yaml, or wide: scores as computed, normalised and weighted")
    .addHelpText("after", "\nExamples:\n  orrery why pod/web-1\n  orrery why web-1 web-2 -n shop -o wide")
    .action(why);
};
