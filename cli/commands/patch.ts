// orrery patch: changes fields of objects by a strategic merge, JSON merge or JSON patch.
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { parse } from "yaml";
import { sameJson } from "../../api/hash.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { fileObject } from "../client/file-object.ts";
import { patchedLocally, type PatchType } from "../client/local-patch.ts";
import { query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { checkTargets, type Target, targetPath, targetsOf, throwAll } from "../client/targets.ts";
import { localObjects, type ModifyFlags } from "./modify.ts";
import { withFiles } from "./object-options.ts";
import { type Results, resultsOf, withResult } from "./result.ts";

interface Flags extends ModifyFlags {
  readonly type: string;
  readonly patch?: string;
  readonly patchFile?: string;
  readonly subresource?: string;
}

const contentTypes: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

function typeOf(text: string): PatchType {
  const type = text === "" ? "strategic" : text.toLowerCase();
  if (type in contentTypes) return type as PatchType;
  throw new CliError(`--type must be one of [json merge strategic], not ${JSON.stringify(text)}`);
}

/** The patch of the flags, from JSON or YAML. Throws CliError in kubectl's words. */
async function patchOf({ patch, patchFile }: Flags): Promise<unknown> {
  if (patch && patchFile) throw new CliError("cannot specify --patch and --patch-file together");
  if (!patch && !patchFile)
    throw new CliError("must specify --patch or --patch-file containing the contents of the patch");
  const text = patchFile
    ? await readFile(patchFile, "utf8").catch(() => {
        throw new CliError(`unable to read patch file: open ${patchFile}: no such file or directory`);
      })
    : patch!;
  try {
    return parse(text, { version: "1.1" }) as unknown;
  } catch (error) {
    throw new CliError(`unable to parse ${JSON.stringify(text)}: ${(error as Error).message.split("\n")[0]}`);
  }
}

interface Request {
  readonly type: PatchType;
  readonly patch: unknown;
  readonly flags: Flags;
  readonly results: Results;
}

/** Prints the object; without a format, whether it changed. */
function print({ results }: Request, before: ApiObject, after: ApiObject): void {
  const isSame =
    before.metadata.resourceVersion === undefined || results.dryRun !== "none"
      ? sameJson(before, after)
      : before.metadata.resourceVersion === after.metadata.resourceVersion;
  results.print(after, isSame ? "patched (no change)" : "patched");
}

async function patchOne({ api }: Session, target: Target, request: Request): Promise<void> {
  const { type, patch, flags, results } = request;
  const part = flags.subresource ? `/${flags.subresource}` : "";
  const path = targetPath(target);
  // A dry run on this side patches the object of a manifest as it stands there.
  const isLocal = results.dryRun === "client" && target.manifest !== undefined;
  const before = isLocal ? (fileObject(target) as ApiObject) : await api.get<ApiObject>(path + part);
  if (results.dryRun === "client") return print(request, before, patchedLocally(before, type, patch) as ApiObject);
  const parameters = query({ fieldManager: flags.fieldManager, dryRun: results.dryRunParameter });
  const contentType = contentTypes[type];
  const { body } = await api.request<ApiObject>({
    method: "PATCH",
    path: path + part + parameters,
    body: JSON.stringify(patch),
    contentType,
  });
  print(request, before, body);
}

const run = async (args: readonly string[], flags: Flags): Promise<void> => {
  const type = typeOf(flags.type);
  const patch = await patchOf(flags);
  const results = await resultsOf(flags);
  const request = { type, patch, flags, results };
  if (flags.local) {
    if (args.length > 0) throw new CliError("cannot specify --local and server resources");
    for (const { object } of await localObjects(flags, args))
      print(request, object, patchedLocally(object, type, patch) as ApiObject);
    return;
  }
  checkTargets(args, flags, {});
  const scope = await session(flags);
  const errors: unknown[] = [];
  for (const target of await targetsOf(scope, args, flags))
    await patchOne(scope, target, request).catch((error: unknown) => errors.push(error));
  throwAll(errors);
};

/** Adds `patch` to the program. */
export const register = (program: Command): void => {
  withResult(withFiles(program.command("patch [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME...)")))
    .option("-p, --patch <patch>", "the patch, as JSON or YAML")
    .option("--patch-file <file>", "a file with the patch")
    .option("--type <type>", "strategic, merge or json", "strategic")
    .option("--subresource <name>", "patch this subresource, such as status or scale")
    .option("--local", "patch the object of a file, without a server")
    .option("--field-manager <name>", "the manager that owns the fields", "kubectl-patch")
    .addHelpText(
      "after",
      '\nExamples:\n  orrery patch deploy web -p \'{"spec":{"replicas":3}}\'\n  orrery patch node worker-1 --type=json -p \'[{"op":"remove","path":"/spec/taints"}]\'',
    )
    .action(run);
};
