// orrery apply: makes the cluster have what manifests say, object by object, through server-side apply.
import type { Command } from "commander";
import { ApiError, hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { Connection } from "../api/connection.ts";
import { flawsOf, type Flaw, readManifests, type WritableSubresource } from "../api/manifest.ts";
import { display, pathOf, type Resource, resourceOfKind } from "../api/resources.ts";
import { CliError } from "../cli-error.ts";
import { type ObjectFlags, query, session, withPlace } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly force: boolean;
  readonly dryRun?: boolean;
}
const fieldManager = "orrery";

const place = ({ file, line, message }: Flaw): string => `${file}:${line}: ${message}`;

async function before(api: Connection, path: string): Promise<ApiObject | undefined> {
  try {
    return (await api.ask<ApiObject>({ path })).body;
  } catch (e) {
    if (hasReason(e, "NotFound")) return undefined;
    throw e;
  }
}

/** What the server refuses, field by field, with the line each field stands on. */
function refused(written: WritableSubresource, e: ApiError): readonly string[] {
  const causes = e.details?.causes?.filter((c) => c.field) ?? [];
  if (causes.length === 0) return [place({ ...written, message: e.message })];
  return causes.map((c) =>
    place({ file: written.file, line: written.lineOf(c.field!), message: `${c.field}: ${c.message}` }),
  );
}

async function applyOne(
  api: Connection,
  resource: Resource,
  written: WritableSubresource,
  flags: Flags,
): Promise<string> {
  const { object } = written;
  const namespace = object.metadata.namespace ?? flags.namespace ?? "default";
  const path = pathOf(resource, namespace, object.metadata.name);
  const old = await before(api, path);
  const parameters = {
    fieldManager,
    fieldValidation: "Strict",
    force: flags.force,
    dryRun: flags.dryRun ? "All" : undefined,
  };
  const { body, warnings } = await api.ask<ApiObject>({
    method: "PATCH",
    path: path + query(parameters),
    body: object,
    contentType: "application/apply-patch+yaml",
  });
  for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`);
  const changed =
    old === undefined
      ? "created"
      : old.metadata.resourceVersion === body.metadata.resourceVersion
        ? "unchanged"
        : "configured";
  return `${display(resource, object.metadata.name)} ${changed}${flags.dryRun ? " (dry run)" : ""}`;
}

/** Namespaces first: what lives in them needs them to be there. */
const inOrder = (all: readonly WritableSubresource[]): readonly WritableSubresource[] =>
  all.toSorted((a, b) => Number(b.object.kind === "Namespace") - Number(a.object.kind === "Namespace"));

const apply = async (flags: Flags): Promise<void> => {
  const { written, flaws } = await readManifests(flags.filename, flags.recursive === true);
  const { api, resources } = await session(flags);
  const wrong = [...flaws, ...written.flatMap((w) => flawsOf(w, resources))];
  if (wrong.length > 0) throw new CliError(`nothing was applied:\n${wrong.map(place).join("\n")}`);
  if (written.length === 0) throw new CliError("there are no objects in these files");
  const refusals: string[] = [];
  for (const w of inOrder(written)) {
    const resource = resourceOfKind(w.object.apiVersion, w.object.kind, resources)!;
    try {
      process.stdout.write(`${await applyOne(api, resource, w, flags)}\n`);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      refusals.push(...refused(w, e));
    }
  }
  if (refusals.length > 0) throw new CliError(`not applied:\n${refusals.join("\n")}`);
};

/** Adds `apply` to the program. */
export const register = (program: Command): void => {
  withPlace(program.command("apply"))
    .summary("make the cluster have what manifests say")
    .requiredOption("-f, --filename <path...>", "files or folders of manifests; - for standard input")
    .option("-R, --recursive", "folders below as well")
    .option("--no-force", "stop at fields that others own instead of taking them over")
    .option("--dry-run", "let the server say what would happen, and change nothing")
    .addHelpText("after", "\nExamples:\n  orrery apply -f manifests/guestbook\n  cat pod.yaml | orrery apply -f -")
    .action(apply);
};
