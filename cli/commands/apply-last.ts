// orrery apply view-, set- and edit-last-applied: the annotation in which client-side apply remembers manifests.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { fileObject } from "../client/file-object.ts";
import { configurationText, lastApplied, lastAppliedOf } from "../client/last-applied.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import {
  checkTargets,
  fetchTargets,
  type Found,
  manifestTargets,
  type TargetFlags,
  targetPath,
  targetsOf,
  throwAll,
} from "../client/targets.ts";
import { orderedJson } from "../generators/ordered-json.ts";
import { yamlText } from "../printers/yaml.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { dryRunOf, dryRunSuffix } from "./dry-run.ts";
import { validateOption } from "./field-validation.ts";
import { nameOf, objectPrinter } from "../printers/output.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, resultsOf, withOutput, withResult } from "./result.ts";

interface ViewFlags extends GlobalFlags, TargetFlags {
  readonly output: string;
}
interface EditFlags extends ResultFlags, TargetFlags {
  readonly fieldManager: string;
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
    const parameters = query({ fieldManager: "kubectl", dryRun: dryRun === "server" ? "All" : undefined });
    if (dryRun !== "client") await annotate(scope, { resource: target.resource, object: current }, text, parameters);
    printLine(`${nameOf(current)} configured${dryRunSuffix(dryRun)}`);
  }
};

const header = `# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
`;

/** Sets the annotation of an object, and nothing else. */
async function annotate(
  { api }: Session,
  { resource, object }: Found,
  text: string,
  parameters: string,
): Promise<void> {
  const { namespace, name } = object.metadata;
  const path = pathOf(resource, namespace, name) + parameters;
  const body = { metadata: { annotations: { [lastApplied]: text } } };
  await api.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
}

const edit = async (args: readonly string[], flags: EditFlags): Promise<void> => {
  const { editableFormats, editUntilValid } = await import("./edit.ts");
  const format = flags.output || "yaml";
  await objectPrinter({ ...flags, output: format }, editableFormats);
  checkTargets(args, flags, {});
  const results = await resultsOf({ ...flags, dryRun: "none" });
  const scope = await session(flags);
  const { found, errors } = await fetchTargets(scope.api, await targetsOf(scope, args, flags));
  throwAll(errors);
  const applied = found.flatMap(({ resource, object }) => {
    const configuration = lastAppliedOf(object) as ApiObject | undefined;
    return configuration === undefined ? [] : [{ resource, object: configuration }];
  });
  if (applied.length === 0)
    throw new CliError(
      "no last-applied-configuration annotation found on resources, to create the annotation, use command `orrery apply set-last-applied --create-annotation`",
    );
  const { environment, fieldManager } = flags;
  const save = async (original: Found, edited: ApiObject): Promise<void> => {
    const text = configurationText(edited);
    await annotate(scope, original, text, query({ fieldManager }));
    results.print(edited, "edited");
  };
  await editUntilValid({ environment, format, header, save }, applied);
};

/** Adds the subcommands to `apply`. */
export const registerLastApplied = (apply: Command): void => {
  withFiles(apply.command("view-last-applied [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME... | -f FILE)"))
    .summary("print what objects were last applied with")
    .option("-l, --selector <labels>", "objects with these labels")
    .option("--all", "all objects of the types")
    .option("-o, --output <format>", "yaml or json", "yaml")
    .action(view);
  withResult(withFiles(apply.command("set-last-applied")))
    .summary("set what objects were last applied with, and change nothing else")
    .option("--create-annotation", "create the annotation where it is missing")
    .action(set);
  withOutput(
    withFiles(
      apply.command("edit-last-applied [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME... | -f FILE)"),
    ),
  )
    .summary("edit what objects were last applied with, and change nothing else")
    .option("--field-manager <name>", "the manager that owns the annotation", "kubectl-client-side-apply")
    .option("--windows-line-endings", "end lines as Windows does")
    .addOption(validateOption())
    .action(edit);
};
