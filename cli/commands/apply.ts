// orrery apply: sends the objects of manifests with server-side apply.
import type { Command } from "commander";
import { ApiError, hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { errorsIn, type ManifestError, type ManifestObject, readManifests } from "../api/manifest.ts";
import { display, pathOf, type Resource, resourceOfKind } from "../api/resources.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../cluster/connection.ts";
import { type ObjectFlags, printLine, query, session, withNamespace } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly force: boolean;
  readonly dryRun?: boolean;
}
const fieldManager = "orrery";

const located = ({ file, line, message }: ManifestError): string => `${file}:${line}: ${message}`;

const current = (api: Connection, path: string): Promise<ApiObject | undefined> =>
  api.get<ApiObject>(path).catch((e: unknown) => {
    if (hasReason(e, "NotFound")) return undefined;
    throw e;
  });

/** The causes of an error with the lines of their fields. */
function causesOf(object: ManifestObject, e: ApiError): readonly string[] {
  const causes = e.details?.causes?.filter((c) => c.field) ?? [];
  if (causes.length === 0) return [located({ ...object, message: e.message })];
  return causes.map((c) =>
    located({ file: object.file, line: object.lineOf(c.field!), message: `${c.field}: ${c.message}` }),
  );
}

async function applyOne(
  api: Connection,
  resource: Resource,
  { object }: ManifestObject,
  flags: Flags,
): Promise<string> {
  const namespace = object.metadata.namespace ?? flags.namespace ?? "default";
  const path = pathOf(resource, namespace, object.metadata.name);
  const old = await current(api, path);
  const parameters = {
    fieldManager,
    fieldValidation: "Strict",
    force: flags.force,
    dryRun: flags.dryRun ? "All" : undefined,
  };
  const { body, warnings } = await api.request<ApiObject>({
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

/** Namespaces first: objects in them need them. */
const inOrder = (all: readonly ManifestObject[]): readonly ManifestObject[] =>
  all.toSorted((a, b) => Number(b.object.kind === "Namespace") - Number(a.object.kind === "Namespace"));

const apply = async (flags: Flags): Promise<void> => {
  const { objects, errors } = await readManifests(flags.filename, flags.recursive === true);
  const { api, resources } = await session(flags);
  const allErrors = [...errors, ...objects.flatMap((object) => errorsIn(object, resources))];
  if (allErrors.length > 0) throw new CliError(`nothing was applied:\n${allErrors.map(located).join("\n")}`);
  if (objects.length === 0) throw new CliError("there are no objects in these files");
  const rejected: string[] = [];
  for (const manifest of inOrder(objects)) {
    const resource = resourceOfKind(manifest.object.apiVersion, manifest.object.kind, resources)!;
    try {
      printLine(await applyOne(api, resource, manifest, flags));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      rejected.push(...causesOf(manifest, e));
    }
  }
  if (rejected.length > 0) throw new CliError(`not applied:\n${rejected.join("\n")}`);
};

/** Adds `apply` to the program. */
export const register = (program: Command): void => {
  withNamespace(program.command("apply"))
    .summary("make the cluster have what manifests say")
    .requiredOption("-f, --filename <path...>", "files or folders of manifests; - for standard input")
    .option("-R, --recursive", "folders below as well")
    .option("--no-force", "stop at fields that others own instead of taking them over")
    .option("--dry-run", "let the server say what would happen, and change nothing")
    .addHelpText("after", "\nExamples:\n  orrery apply -f manifests/guestbook\n  cat pod.yaml | orrery apply -f -")
    .action(apply);
};
