// orrery edit: opens objects in an editor and sends what changed.
import { rm } from "node:fs/promises";
import type { Command } from "commander";
import { ApiError } from "../../api/errors.ts";
import { sameJson } from "../../api/hash.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { withLastApplied } from "../client/last-applied.ts";
import { objectDiff } from "../client/object-diff.ts";
import { parseManifests } from "../client/manifests.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { checkTargets, fetchTargets, type Found, type TargetFlags, targetsOf, throwAll } from "../client/targets.ts";
import { compactJson } from "../printers/json.ts";
import { type ObjectPrinter, objectPrinter } from "../printers/output.ts";
import { printLine } from "../program/output.ts";
import type { Environment } from "../program/global-flags.ts";
import { type EditedFile, edit } from "./editor.ts";
import { fieldValidationOf, validateOption } from "./field-validation.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, resultsOf, withOutput } from "./result.ts";

interface Flags extends ResultFlags, TargetFlags {
  readonly fieldManager: string;
  readonly validate?: string;
  readonly saveConfig?: boolean;
  readonly subresource?: string;
  readonly outputPatch?: boolean;
  readonly windowsLineEndings?: boolean;
}

/** What is written above the objects. */
const header = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

/** An object that the server refused, and why. */
interface Refusal {
  readonly found: Found;
  readonly error: ApiError;
}

const causesOf = ({ details, message }: ApiError): readonly string[] => {
  const causes = (details?.causes ?? []).map((c) => (c.field ? `${c.field}: ${c.message}` : (c.message ?? "")));
  return causes.length > 0 ? causes : [message];
};

const typeOf = ({ resource }: Found): string =>
  resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
const titleOf = (found: Found): string => `${typeOf(found)} ${JSON.stringify(found.object.metadata.name)}`;

/** The reasons of a reopened file, as comments. */
const commentsOf = (refusals: readonly Refusal[]): string =>
  refusals
    .map(
      ({ found, error }) =>
        `# ${titleOf(found)} was not valid:\n${causesOf(error)
          .map((c) => `# * ${c}\n`)
          .join("")}#\n`,
    )
    .join("");

/** The text without comments; compared to tell whether anything was changed. */
const withoutComments = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n");

/** The objects of an edited file. Throws CliError for text that is no manifest. */
function objectsIn({ text, path }: EditedFile): readonly ApiObject[] {
  const { objects, errors } = parseManifests(path, text);
  if (errors.length > 0) throw new CliError(errors.map(({ line, message }) => `line ${line}: ${message}`).join("\n"));
  return objects.map(({ object }) => object as ApiObject);
}

const isSameObject = (a: ApiObject, b: ApiObject): boolean =>
  a.apiVersion === b.apiVersion &&
  a.kind === b.kind &&
  a.metadata.name === b.metadata.name &&
  (a.metadata.namespace ?? "") === (b.metadata.namespace ?? "");

/** How objects are edited. */
export interface Edit {
  readonly environment: Environment;
  readonly format: string;
  readonly header: string;
  /** Sends what changed of an object. */
  readonly save: (found: Found, edited: ApiObject) => Promise<void>;
}
interface Saving {
  readonly scope: Session;
  readonly flags: Flags;
  readonly print: (object: ApiObject, operation: string) => void;
}

async function save({ scope, flags, print }: Saving, found: Found, edited: ApiObject): Promise<void> {
  const after = flags.saveConfig ? withLastApplied(edited) : edited;
  const patch = await objectDiff(found.object, after, { prefersStrategic: true });
  if (patch === undefined) return print(found.object, "skipped");
  if (flags.outputPatch) printLine(`Patch: ${compactJson(patch.body)}`);
  const { namespace, name } = found.object.metadata;
  const part = flags.subresource ? `/${flags.subresource}` : "";
  const parameters = query({
    fieldManager: flags.fieldManager,
    fieldValidation: fieldValidationOf(flags.validate),
  });
  const path = pathOf(found.resource, namespace, name) + part + parameters;
  print((await scope.api.request<ApiObject>({ method: "PATCH", path, ...patch })).body, "edited");
}

/** Sends the edited objects. Returns those that the server found invalid; other errors are thrown. */
async function saveAll(
  save: Edit["save"],
  found: readonly Found[],
  edited: readonly ApiObject[],
): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = [];
  for (const object of edited) {
    const original = found.find((each) => isSameObject(each.object, object));
    if (!original) throw new CliError("At least one of apiVersion, kind and name was changed");
    try {
      await save(original, object);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.reason !== "Invalid" && error.reason !== "BadRequest")
        throw new CliError(`${titleOf(original)} could not be patched: ${error.message}`);
      refusals.push({ found: original, error });
      process.stderr.write(`error: ${titleOf(original)} is invalid\n`);
    }
  }
  return refusals;
}

/** The text that is opened: one object, or a List of several. */
function textOf(found: readonly Found[], print: ObjectPrinter): string {
  const objects = found.map(({ object }) => object);
  return print(objects.length === 1 ? objects[0]! : { apiVersion: "v1", items: objects, kind: "List", metadata: {} });
}

const keptCopy = ({ path }: EditedFile): void =>
  void process.stderr.write(`A copy of your changes has been stored to ${JSON.stringify(path)}\n`);

/** Opens the editor until the objects are accepted, or nothing more is changed. */
export async function editUntilValid(how: Edit, found: readonly Found[]): Promise<void> {
  const isYaml = how.format !== "json";
  const original = textOf(found, await objectPrinter({ output: how.format, showManagedFields: true }));
  const suffix = isYaml ? ".yaml" : ".json";
  let content = original;
  let comments = "";
  let previous: EditedFile | undefined;
  for (;;) {
    const file = await edit((isYaml ? how.header + comments : "") + content, suffix, how.environment);
    const text = withoutComments(file.text);
    if (previous) await rm(previous.path, { force: true });
    if (text === content && comments !== "") {
      keptCopy(file);
      throw new CliError("Edit cancelled, no valid changes were saved.");
    }
    if (text === original) return void (await cancel(file, "Edit cancelled, no changes made."));
    if (text.trim() === "") return void (await cancel(file, "Edit cancelled, saved file was empty."));
    content = text;
    previous = file;
    try {
      const edited = objectsIn({ ...file, text });
      const pending = edited.filter((object) => !found.some((each) => sameJson(each.object, object)));
      if (pending.length === 0) return void (await cancel(file, "Edit cancelled, no changes made."));
      const refusals = await saveAll(how.save, found, edited);
      if (refusals.length === 0) return await rm(file.path, { force: true });
      comments = commentsOf(refusals);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      if (!/^line \d+: /.test(error.message)) {
        keptCopy(file);
        throw error;
      }
      for (const each of found) process.stderr.write(`error: ${titleOf(each)} is invalid\n`);
      comments = `# The edited file had a syntax error: ${error.message.replaceAll("\n", "\n# ")}\n#\n`;
    }
  }
}

async function cancel({ path }: EditedFile, message: string): Promise<void> {
  await rm(path, { force: true });
  process.stderr.write(`${message}\n`);
}

/** The formats that can be read back. */
export const editableFormats = ["json", "kyaml", "yaml"];

/** The object without its managed fields, which nobody edits by hand. */
function editable({ resource, object }: Found, flags: Flags): Found {
  if (flags.showManagedFields) return { resource, object };
  const { managedFields: _, ...metadata } = object.metadata;
  return { resource, object: { ...object, metadata } as ApiObject };
}

/** Opens objects in an editor, and sends what changed until the server accepts it. */
export const editObjects = async (args: readonly string[], flags: Flags): Promise<void> => {
  const format = flags.output || "yaml";
  await objectPrinter({ ...flags, output: format }, editableFormats);
  fieldValidationOf(flags.validate);
  checkTargets(args, flags, { listsTypes: true });
  const results = await resultsOf({ ...flags, dryRun: "none" });
  const scope = await session(flags);
  const { found, errors } = await fetchTargets(scope.api, await targetsOf(scope, args, flags, { listsTypes: true }));
  throwAll(errors);
  const part = flags.subresource ? `/${flags.subresource}` : "";
  const opened = await Promise.all(
    found.map(async (each) => {
      const { namespace, name } = each.object.metadata;
      if (part === "") return editable(each, flags);
      const object = await scope.api.get<ApiObject>(pathOf(each.resource, namespace, name) + part);
      return editable({ ...each, object }, flags);
    }),
  );
  if (opened.length === 0) throw new CliError("edit cancelled, no objects found.", undefined, { isBare: true });
  const saving = { scope, flags, print: results.print };
  const { environment } = flags;
  const saveOne: Edit["save"] = (original, edited) => save(saving, original, edited);
  await editUntilValid({ environment, format, header, save: saveOne }, opened);
};

/** Adds `edit` to the program. */
export const register = (program: Command): void => {
  withOutput(withFiles(program.command("edit [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME...)")))
    .option("--field-manager <name>", "the manager that owns the fields", "kubectl-edit")
    .option("--output-patch", "print the patch that is sent")
    .option("--save-config", "keep the configuration in an annotation, for a later kubectl apply")
    .option("--subresource <name>", "edit this subresource, such as status or scale")
    .option("--windows-line-endings", "end lines as Windows does")
    .addOption(validateOption())
    .addHelpText("after", "\nExamples:\n  orrery edit deploy/web\n  KUBE_EDITOR='code --wait' orrery edit cm app")
    .action(editObjects);
};
