// orrery delete: deletes objects by name, selector or manifest, and waits until they are gone.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { readManifests } from "../api/manifest.ts";
import { display, pathOf, type Resource, resourceOfKind, targetsOf } from "../api/resources.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../cluster/connection.ts";
import { clock } from "./cluster-option.ts";
import { type ObjectFlags, objectsOf, printLine, session, withSelection } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly filename?: readonly string[];
  readonly all?: boolean;
  readonly wait: boolean;
  readonly gracePeriod?: string;
  readonly cascade: string;
  readonly ignoreNotFound?: boolean;
}
interface DeletedObject {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
}
const propagation: Readonly<Record<string, string>> = {
  background: "Background",
  foreground: "Foreground",
  orphan: "Orphan",
};

async function fromArguments(
  api: Connection,
  words: readonly string[],
  flags: Flags,
  resources: readonly Resource[],
): Promise<readonly DeletedObject[]> {
  const found: DeletedObject[] = [];
  for (const target of targetsOf(words, resources)) {
    const { resource, name } = target;
    if (name !== undefined) found.push({ resource, namespace: flags.namespace ?? "default", name });
    else if (!flags.all && !flags.selector && !flags.fieldSelector)
      throw new CliError(
        `say which ${resource.plural}`,
        `By name, by label with -l, or all of them with: orrery delete ${resource.plural} --all`,
      );
    else
      for (const { metadata } of await objectsOf(api, target, flags))
        found.push({ resource, namespace: metadata.namespace, name: metadata.name });
  }
  return found;
}

/** In reverse order of creation. */
async function fromManifests(flags: Flags, resources: readonly Resource[]): Promise<readonly DeletedObject[]> {
  const { objects, errors } = await readManifests(flags.filename ?? [], false);
  if (errors.length > 0) throw new CliError(errors.map((e) => `${e.file}:${e.line}: ${e.message}`).join("\n"));
  return objects.toReversed().map(({ object, file, line }) => {
    const resource = resourceOfKind(object.apiVersion, object.kind, resources);
    if (!resource)
      throw new CliError(`${file}:${line}: no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
    return {
      resource,
      namespace: object.metadata.namespace ?? flags.namespace ?? "default",
      name: object.metadata.name,
    };
  });
}

/** Waits until the path has no object, or one with another uid. */
async function untilGone(api: Connection, path: string, uid: string | undefined): Promise<void> {
  for (;;) {
    try {
      const { metadata } = await api.get<ApiObject>(path);
      if (uid !== undefined && metadata.uid !== uid) return;
    } catch (e) {
      if (hasReason(e, "NotFound")) return;
      throw e;
    }
    await clock.sleep(100);
  }
}

async function remove(api: Connection, { resource, namespace, name }: DeletedObject, flags: Flags): Promise<void> {
  const path = pathOf(resource, namespace, name);
  const body = {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: propagation[flags.cascade],
    ...(flags.gracePeriod === undefined ? {} : { gracePeriodSeconds: Number(flags.gracePeriod) }),
  };
  type Deleted = Partial<ApiObject> & { readonly details?: { readonly uid?: string } };
  const response = await api.request<Deleted>({ method: "DELETE", path, body });
  printLine(`${display(resource, name)} deleted`);
  if (flags.wait) await untilGone(api, path, response.body.metadata?.uid ?? response.body.details?.uid);
}

const deleteAll = async (words: readonly string[], flags: Flags): Promise<void> => {
  if (propagation[flags.cascade] === undefined)
    throw new CliError(`unknown cascade "${flags.cascade}"`, `Choose one of: ${Object.keys(propagation).join(", ")}`);
  const { api, resources } = await session(flags);
  const objects = flags.filename
    ? await fromManifests(flags, resources)
    : await fromArguments(api, words, flags, resources);
  if (objects.length === 0) process.stderr.write("No resources found.\n");
  const missing: string[] = [];
  const removals = objects.map((object) =>
    remove(api, object, flags).catch((e: unknown) => {
      if (!hasReason(e, "NotFound")) throw e;
      missing.push((e as Error).message);
    }),
  );
  await Promise.all(removals);
  if (missing.length > 0 && !flags.ignoreNotFound) throw new CliError(missing.join("\n"));
};

/** Adds `delete` to the program. */
export const register = (program: Command): void => {
  withSelection(program.command("delete [resource] [names...]"))
    .summary("remove objects")
    .option("-f, --filename <path...>", "what these manifests name")
    .option("--all", "all of them in the namespace")
    .option("--no-wait", "do not wait until they are gone")
    .option("--grace-period <seconds>", "give pods this long to end; 0 does not wait for them at all")
    .option("--cascade <how>", "what becomes of what they own: background, foreground or orphan", "background")
    .option("--ignore-not-found", "what is not there is as good as deleted")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery delete -f manifests/guestbook\n  orrery delete pod web-1\n  orrery delete pods -l app=web",
    )
    .action((resource: string | undefined, names: readonly string[], flags: Flags) =>
      deleteAll(resource === undefined ? [] : [resource, ...names], flags),
    );
};
