// orrery apply view-last-applied, set-last-applied: the annotation in which client-side apply remembers manifests.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { fileObject } from "../client/file-object.ts";
import { lastApplied, lastAppliedOf, configurationText } from "../client/last-applied.ts";
import { query } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { fetchTargets, manifestTargets, type TargetFlags, targetPath, targetsOf, throwAll } from "../client/targets.ts";
import { orderedJson } from "../generators/ordered-json.ts";
import { yamlText } from "../printers/yaml.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { dryRunOf, dryRunSuffix } from "./dry-run.ts";
import { nameOf } from "../printers/output.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, withResult } from "./result.ts";

interface ViewFlags extends GlobalFlags, TargetFlags {
  readonly output: string;
}
interface SetFlags extends ResultFlags, TargetFlags {
  readonly createAnnotation?: boolean;
}

const view = async (args: readonly string[], flags: ViewFlags): Promise<void> => {
  if (flags.output !== "yaml" && flags.output !== "json")
    throw new CliError(
      `Unexpected -o output mode: ${flags.output}, the flag 'output' must be one of yaml|json`,
      "See 'orrery apply view-last-applied -h' for help and examples",
    );
  const scope = await session(flags);
  const { found, errors } = await fetchTargets(scope.api, await targetsOf(scope, args, flags));
  throwAll(errors);
  for (const { object } of found) {
    const applied = lastAppliedOf(object);
    if (applied === undefined)
      process.stderr.write(`no last-applied-configuration annotation found on resource: ${object.metadata.name}\n`);
    else if (flags.output === "yaml") process.stdout.write(yamlText(applied));
    else printLine(orderedJson(applied, 2));
  }
};

const set = async (flags: SetFlags): Promise<void> => {
  const dryRun = dryRunOf(flags.dryRun);
  if (!flags.filename?.length) throw new CliError("must specify one of -f and -k");
  const scope = await session(flags);
  for (const target of await manifestTargets(scope, flags)) {
    const current = await scope.api.get<ApiObject>(targetPath(target));
    if (lastAppliedOf(current) === undefined && !flags.createAnnotation)
      throw new CliError(
        `no last-applied-configuration annotation found on resource: ${current.metadata.name}, to create the annotation, run the command with --create-annotation`,
      );
    const text = configurationText(fileObject(target));
    if (dryRun !== "client")
      await scope.api.request({
        method: "PATCH",
        path: targetPath(target) + query({ fieldManager: "kubectl", dryRun: dryRun === "server" ? "All" : undefined }),
        body: { metadata: { annotations: { [lastApplied]: text } } },
        contentType: "application/merge-patch+json",
      });
    printLine(`${nameOf(current)} configured${dryRunSuffix(dryRun)}`);
  }
};

/** Adds the subcommands to `apply`. */
export const registerLastApplied = (apply: Command): void => {
  withFiles(apply.command("view-last-applied [args...]"))
    .summary("print what objects were last applied with")
    .option("-l, --selector <labels>", "objects with these labels")
    .option("--all", "all objects of the types")
    .option("-o, --output <format>", "yaml or json", "yaml")
    .action(view);
  withResult(withFiles(apply.command("set-last-applied")))
    .summary("set what objects were last applied with, and change nothing else")
    .option("--create-annotation", "also of objects that were not applied")
    .action(set);
};
