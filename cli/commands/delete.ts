// orrery delete: removes objects by name, by label or by manifest, and waits until they are gone.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { Connection } from "../api/connection.ts";
import { readManifests } from "../api/manifest.ts";
import { display, pathOf, type Resource, resourceOfKind, wantedBy } from "../api/resources.ts";
import { CliError } from "../cli-error.ts";
import { namespaceOf, type ObjectFlags, query, selectionOf, session, withSelection } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly filename?: readonly string[];
  readonly all?: boolean;
  readonly wait: boolean;
  readonly gracePeriod?: string;
  readonly cascade: string;
  readonly ignoreNotFound?: boolean;
}
interface Target {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
}
const propagation: Readonly<Record<string, string>> = {
  background: "Background",
  foreground: "Foreground",
  orphan: "Orphan",
};

async function named(
  api: Connection,
  words: readonly string[],
  flags: Flags,
  resources: readonly Resource[],
): Promise<readonly Target[]> {
  const targets: Target[] = [];
  for (const { resource, name } of wantedBy(words, resources)) {
    if (name !== undefined) targets.push({ resource, namespace: flags.namespace ?? "default", name });
    else if (!flags.all && !flags.selector && !flags.fieldSelector)
      throw new CliError(
        `say which ${resource.plural}`,
        `By name, by label with -l, or all of them with: orrery delete ${resource.plural} --all`,
      );
    else {
      const { body } = await api.ask<{ readonly items: readonly ApiObject[] }>({
        path: pathOf(resource, namespaceOf(flags)) + query(selectionOf(flags)),
      });
      targets.push(...body.items.map((o) => ({ resource, namespace: o.metadata.namespace, name: o.metadata.name })));
    }
  }
  return targets;
}

/** In the order opposite to that of applying: what was made last goes first. */
async function written(flags: Flags, resources: readonly Resource[]): Promise<readonly Target[]> {
  const { written: all, flaws } = await readManifests(flags.filename ?? [], false);
  if (flaws.length > 0) throw new CliError(flaws.map((f) => `${f.file}:${f.line}: ${f.message}`).join("\n"));
  return all.toReversed().map(({ object, file, line }) => {
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

async function untilGone(
  api: Connection,
  { resource, namespace, name }: Target,
  uid: string | undefined,
): Promise<void> {
  const { clock } = realWorld(() => {});
  for (;;) {
    try {
      const { body } = await api.ask<ApiObject>({ path: pathOf(resource, namespace, name) });
      if (uid !== undefined && body.metadata.uid !== uid) return;
    } catch (e) {
      if (hasReason(e, "NotFound")) return;
      throw e;
    }
    await clock.sleep(100);
  }
}

async function remove(api: Connection, target: Target, flags: Flags): Promise<void> {
  const { resource, namespace, name } = target;
  const body = {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: propagation[flags.cascade],
    ...(flags.gracePeriod === undefined ? {} : { gracePeriodSeconds: Number(flags.gracePeriod) }),
  };
  const answer = await api.ask<Partial<ApiObject> & { readonly details?: { readonly uid?: string } }>({
    method: "DELETE",
    path: pathOf(resource, namespace, name),
    body,
  });
  process.stdout.write(`${display(resource, name)} deleted\n`);
  if (flags.wait) await untilGone(api, target, answer.body.metadata?.uid ?? answer.body.details?.uid);
}

const deleteAll = async (words: readonly string[], flags: Flags): Promise<void> => {
  if (propagation[flags.cascade] === undefined)
    throw new CliError(`unknown cascade "${flags.cascade}"`, `Choose one of: ${Object.keys(propagation).join(", ")}`);
  const { api, resources } = await session(flags);
  const targets = flags.filename ? await written(flags, resources) : await named(api, words, flags, resources);
  if (targets.length === 0) process.stderr.write("No resources found.\n");
  const missing: string[] = [];
  const removals = targets.map((target) =>
    remove(api, target, flags).catch((e: unknown) => {
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
