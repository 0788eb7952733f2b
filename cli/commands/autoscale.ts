// orrery autoscale: creates a HorizontalPodAutoscaler for a workload.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { apiVersionOf } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { checkTargets, type Found, type TargetFlags, targetsOf } from "../client/targets.ts";
import { type AutoscaleFlags, autoscaler, checkAutoscale } from "../generators/autoscaler.ts";
import { integer32 } from "../program/flag-values.ts";
import { createForSources } from "./create-for-sources.ts";
import { type CreateFlags, withGeneration } from "./create-object.ts";
import { withFiles } from "./object-options.ts";
import { resultsOf } from "./result.ts";

type Flags = AutoscaleFlags & TargetFlags & CreateFlags;

/** The reference of an autoscaler. Throws CliError for a resource that has no scale. */
function reference({ resource, object }: Found) {
  if (!resource.subresources.includes("scale")) {
    const version = resource.group === "" ? `/${resource.version}` : apiVersionOf(resource);
    throw new CliError(
      `cannot autoscale a ${object.kind}: could not find scale subresource for ${version}, Resource=${resource.plural} in discovery information`,
    );
  }
  return { kind: object.kind, name: object.metadata.name, apiVersion: apiVersionOf(resource) };
}

const autoscale = async (args: readonly string[], flags: Flags): Promise<void> => {
  const results = await resultsOf(flags, { isGenerated: true });
  checkAutoscale(flags);
  checkTargets(args, flags, {});
  const scope = await session(flags);
  await createForSources(
    { scope, results },
    await targetsOf(scope, args, flags, { suggested: ["deploy", "sts", "rs"] }),
    flags,
    {
      plural: "horizontalpodautoscalers",
      operation: "autoscaled",
      dryRunOperation: "created",
      generate: (source) => autoscaler(reference(source), flags),
    },
  );
};

const notice =
  "Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).\n";

/** A parser that prints the notice. */
const deprecated = (parse: (text: string) => number) => (text: string) => {
  process.stderr.write(notice);
  return parse(text);
};

/** Adds `autoscale` to the program. */
export const register = (program: Command): void => {
  const command = program
    .command("autoscale [args...]")
    .usage("[options] (TYPE [NAME...] | TYPE/NAME...)")
    .requiredOption("--max <n>", "the most replicas", integer32, -1)
    .option("--min <n>", "the fewest replicas", integer32, -1)
    .option("--cpu <target>", "70% of the request, or an average such as 500m")
    .option("--memory <target>", "60% of the request, or an average such as 200Mi")
    .option("--cpu-percent <n>", "the same as --cpu N%", deprecated(integer32))
    .option("--name <name>", "the name of the autoscaler");
  withGeneration(withFiles(command), "kubectl-autoscale")
    .addHelpText("after", "\nExamples:\n  orrery autoscale deploy web --min=2 --max=10 --cpu=70%")
    .action(autoscale);
};
