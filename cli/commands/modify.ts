// How commands that modify objects run: find the objects, change each, print it or send the difference as a patch.
import type { Command } from "commander";
import { ApiError } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { type ObjectPatch, objectDiff } from "../client/object-diff.ts";
import { pathOf, query, type Resource } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import {
  checkTargets,
  fetchTargets,
  type Found,
  manifestTargets,
  type TargetFlags,
  targetsOf,
  throwAll,
} from "../client/targets.ts";
import { nameOf } from "../printers/output.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, type Results, resultsOf, withResult } from "./result.ts";

export interface ModifyFlags extends ResultFlags, TargetFlags {
  readonly local?: boolean;
  readonly fieldManager?: string;
}
/** The options of commands that modify objects. */
export const withModification = (command: Command, fieldManager: string): Command =>
  withResult(withFiles(command))
    .option("--all", "all objects of the types")
    .option("-l, --selector <labels>", "objects with these labels, such as app=web,tier!=cache")
    .option("--local", "change the object of a file, without a server")
    .option("--field-manager <name>", "the manager that owns the fields", fieldManager);

/** What a command does to an object. */
export interface Modification {
  /** The object after the change. May throw CliError. */
  readonly change: (object: ApiObject, found: Found) => ApiObject | Promise<ApiObject>;
  /** What is printed after the name: `labeled`. May depend on both objects. */
  readonly operation: string | ((before: ApiObject, after: ApiObject) => string);
  /** Whether an object that does not change is printed too. */
  readonly printsUnchanged: boolean;
  /** Whether nothing is changed when one of the objects does not exist. */
  readonly needsAll?: boolean;
  /** What precedes the server's error. */
  readonly failure?: string;
}

/** Runs a change whose errors name the object: `configmaps/a the object is not a pod...`. */
export function named<T>({ resource, object }: Found, change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // The plural of an object from a file is not known without a server.
    const name = resource.plural ? `${resource.plural}/${object.metadata.name}` : nameOf(object);
    throw new CliError(`${name} ${error.message}`);
  }
}

const onlyFiles = new CliError(
  "you must specify resources by --filename when --local is set.",
  "Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
);

/** The objects of files, without a server. */
export async function localObjects(flags: TargetFlags, args: readonly string[]): Promise<readonly Found[]> {
  if (args.length > 0 || !flags.filename?.length) throw onlyFiles;
  const anyKind = {} as Resource;
  const mapper = { ofKind: async () => anyKind } as unknown as Session["mapper"];
  const targets = await manifestTargets({ mapper, namespace: "default", namespaceGiven: false }, flags);
  return targets.map(({ resource, manifest }) => ({ resource, object: manifest!.object as ApiObject }));
}

/** Sends the difference. Conflicts can only come from a `resourceVersion` in the changed object. */
async function sent(
  { api }: Session,
  { resource, object }: Found,
  patch: ObjectPatch,
  parameters: Parameters<typeof query>[0],
): Promise<ApiObject> {
  const { namespace, name } = object.metadata;
  const path = pathOf(resource, namespace, name) + query(parameters);
  return (await api.request<ApiObject>({ method: "PATCH", path, ...patch })).body;
}

interface Context {
  readonly scope: Session | undefined;
  readonly results: Results;
  readonly flags: ModifyFlags;
}

async function modifyOne(found: Found, how: Modification, { scope, results, flags }: Context): Promise<void> {
  const { object: before } = found;
  const after = await how.change(before, found);
  const patch = await objectDiff(before, after);
  if (patch === undefined && !how.printsUnchanged) return;
  const operation = typeof how.operation === "string" ? how.operation : how.operation(before, after);
  if (scope === undefined || results.dryRun === "client" || patch === undefined) return results.print(after, operation);
  const parameters = { fieldManager: flags.fieldManager, dryRun: results.dryRunParameter };
  try {
    results.print(await sent(scope, found, patch, parameters), operation);
  } catch (error) {
    throw how.failure !== undefined && error instanceof ApiError ? new CliError(how.failure + error.message) : error;
  }
}

/** The objects that the arguments refer to: from files with `--local`, else from the server. */
async function objectsOf(
  args: readonly string[],
  flags: ModifyFlags,
): Promise<{ readonly scope: Session | undefined; readonly found: readonly Found[]; readonly errors: unknown[] }> {
  if (flags.local) return { scope: undefined, found: await localObjects(flags, args), errors: [] };
  const scope = await session(flags);
  const { found, errors } = await fetchTargets(scope.api, await targetsOf(scope, args, flags));
  return { scope, found, errors: [...errors] };
}

/** Modifies all objects that the arguments refer to. Errors of one do not keep others from being modified. */
export async function modify(args: readonly string[], flags: ModifyFlags, how: Modification): Promise<void> {
  const results = await resultsOf(flags);
  if (!flags.local) checkTargets(args, flags, {});
  const { scope, found, errors } = await objectsOf(args, flags);
  if (how.needsAll) throwAll(errors);
  for (const each of found)
    await modifyOne(each, how, { scope, results, flags }).catch((error: unknown) => errors.push(error));
  throwAll(errors);
}
