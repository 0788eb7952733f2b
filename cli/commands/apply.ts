// orrery apply: sends the objects of manifests with server-side apply.
import type { Command } from "commander";
import { ApiError, hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { ManifestError, ManifestObject } from "../client/manifests.ts";
import { display, query } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { manifestTargets, refuse, type Target, type TargetFlags, targetPath } from "../client/targets.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { withFiles } from "./object-options.ts";

interface Flags extends GlobalFlags, TargetFlags {
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

async function applyOne(api: Connection, target: Target, flags: Flags): Promise<string> {
  const { resource, name, manifest } = target;
  const path = targetPath(target);
  const old = await current(api, path);
  const parameters = {
    fieldManager,
    fieldValidation: "Strict",
    force: flags.force,
    dryRun: flags.dryRun ? "All" : undefined,
  };
  const { body } = await api.request<ApiObject>({
    method: "PATCH",
    path: path + query(parameters),
    body: manifest!.object,
    contentType: "application/apply-patch+yaml",
  });
  const changed =
    old === undefined
      ? "created"
      : old.metadata.resourceVersion === body.metadata.resourceVersion
        ? "unchanged"
        : "configured";
  return `${display(resource, name ?? "")} ${changed}${flags.dryRun ? " (dry run)" : ""}`;
}

/** Namespaces first: objects in them need them. */
const inOrder = (all: readonly Target[]): readonly Target[] =>
  all.toSorted((a, b) => Number(b.resource.kind === "Namespace") - Number(a.resource.kind === "Namespace"));

const apply = async (flags: Flags): Promise<void> => {
  const scope = await session(flags);
  const targets = await manifestTargets(scope, flags);
  const { errorsIn } = await import("../client/manifest-check.ts");
  refuse(targets.flatMap(({ manifest }) => errorsIn(manifest!)));
  if (targets.length === 0) throw new CliError("no objects passed to apply");
  const rejected: string[] = [];
  for (const target of inOrder(targets)) {
    try {
      printLine(await applyOne(scope.api, target, flags));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      rejected.push(...causesOf(target.manifest!, e));
    }
  }
  if (rejected.length > 0) throw new CliError(`not applied:\n${rejected.join("\n")}`);
};

/** Adds `apply` to the program. */
export const register = (program: Command): void => {
  withFiles(program.command("apply"))
    .option("--no-force", "stop at fields that others own instead of taking them over")
    .option("--dry-run", "let the server say what would happen, and change nothing")
    .addHelpText("after", "\nExamples:\n  orrery apply -f manifests/guestbook\n  cat pod.yaml | orrery apply -f -")
    .action(apply);
};
