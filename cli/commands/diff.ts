// orrery diff: shows how objects would change if manifests were applied.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { ifFound } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { lastApplied } from "../client/last-applied.ts";
import { refuse } from "../client/manifests.ts";
import { matchesSelector } from "../client/manifest-selector.ts";
import { apiVersionOf } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { manifestTargets, type Target, type TargetFlags, targetPath } from "../client/targets.ts";
import { yamlText } from "../printers/yaml.ts";
import { integer } from "../program/flag-values.ts";
import type { Environment, GlobalFlags } from "../program/global-flags.ts";
import { errorText } from "../program/report.ts";
import { applyInClient, applyInServer, fieldManagers } from "./apply-object.ts";
import { withFiles } from "./object-options.ts";

interface Flags extends GlobalFlags, TargetFlags {
  readonly fieldManager?: string;
  readonly serverSide?: boolean;
  readonly forceConflicts?: boolean;
  readonly showManagedFields?: boolean;
  readonly showSecrets?: boolean;
}
type Data = Readonly<Record<string, string>>;
type Shown = ApiObject & { readonly data?: Data };

/** An object as it is, if it exists, and as it would be. */
interface Versions {
  readonly live: Shown | undefined;
  readonly merged: Shown;
}

/** The object without what every apply changes. */
const shown = (object: ApiObject, { showManagedFields }: Flags): Shown => {
  const { managedFields, annotations, ...metadata } = object.metadata;
  const { [lastApplied]: _, ...others } = annotations ?? {};
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(Object.keys(others).length > 0 ? { annotations: others } : {}),
      ...(showManagedFields ? { managedFields } : {}),
    },
  } as ApiObject;
};

/** The values of a secret as asterisks, which tell only whether a value differs. */
function masked(data: Data | undefined, other: Data | undefined, side: "before" | "after"): Data | undefined {
  if (data === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const differs = other !== undefined && other[key] !== undefined && other[key] !== value;
      return [key, differs ? `*** (${side})` : "***"];
    }),
  );
}

function withoutSecrets({ live, merged }: Versions): Versions {
  if (merged.kind !== "Secret") return { live, merged };
  return {
    live: live && { ...live, data: masked(live.data, merged.data, "before") ?? {} },
    merged: { ...merged, data: masked(merged.data, live?.data, "after") ?? {} },
  };
}

/** Lets the server apply a manifest without storing it. */
async function versionsOf(scope: Session, target: Target, flags: Flags): Promise<Versions> {
  const live = await ifFound(scope.api.get<ApiObject>(targetPath(target)));
  const { object } = await (flags.serverSide ? applyInServer : applyInClient)(scope, target, {
    dryRun: "server",
    fieldManager: flags.fieldManager ?? fieldManagers[flags.serverSide ? "server" : "client"],
    fieldValidation: "Strict",
    force: false,
    forceConflicts: flags.forceConflicts === true,
    gracePeriod: -1,
    isComparison: true,
  });
  const versions = { live: live && shown(live, flags), merged: shown(object, flags) };
  return flags.showSecrets ? versions : withoutSecrets(versions);
}

/** `apps.v1.Deployment.default.web`. */
const fileName = ({ resource, namespace = "", name }: Target): string =>
  [...apiVersionOf(resource).split("/"), resource.kind, namespace, name].join(".");

/** The program that compares two folders, and its arguments. */
function programOf({ KUBECTL_EXTERNAL_DIFF: external }: Environment): readonly [string, ...string[]] {
  const [program, ...args] = (external ?? "").split(" ").filter((word) => word !== "");
  if (program === undefined) return ["diff", "-u", "-N"];
  // What a shell would interpret is left out, as kubectl leaves it out.
  return [program, ...args.filter((word) => /^[a-zA-Z0-9-=]+$/.test(word))];
}

/** Runs the program. Resolves with its exit code: 0 without differences, 1 with some, more after an error. */
function compare([program, ...args]: readonly [string, ...string[]], folders: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args, ...folders], { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      if (error && typeof error.code !== "number")
        reject(new CliError(`failed to run ${JSON.stringify(program)}: ${error.message}`, undefined, { exitCode: 2 }));
      else resolve(error ? Number(error.code) : 0);
    });
    child.stdin?.end();
  });
}

async function diff(flags: Flags): Promise<number> {
  if (!flags.filename?.length && !flags.kustomize) throw new CliError("must specify one of -f and -k");
  if (flags.forceConflicts && !flags.serverSide) throw new CliError("--force-conflicts only works with --server-side");
  const scope = await session(flags);
  const { selector: _, ...files } = flags;
  const targets = (await manifestTargets(scope, files)).filter((target) => matchesSelector(target, flags.selector));
  if (targets.some(({ name }) => name === undefined)) throw new CliError("resource name may not be empty");
  const { errorsIn } = await import("../client/manifest-check.ts");
  refuse(targets.flatMap(({ manifest }) => errorsIn(manifest!)));
  const folders = await Promise.all(["LIVE-", "MERGED-"].map((prefix) => mkdtemp(join(tmpdir(), prefix))));
  try {
    for (const target of targets) {
      const { live, merged } = await versionsOf(scope, target, flags);
      for (const [i, object] of [live, merged].entries())
        await writeFile(join(folders[i]!, fileName(target)), object === undefined ? "" : yamlText(object));
    }
    return await compare(programOf(flags.environment), folders);
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  }
}

/** Exit codes above 1 tell errors from differences. */
async function run(args: readonly string[], flags: Flags): Promise<void> {
  try {
    if (args.length > 0)
      throw new CliError(`Unexpected args: [${args.join(" ")}]`, "See 'orrery diff -h' for help and examples");
    process.exitCode = await diff(flags);
  } catch (error) {
    process.stderr.write(errorText(error));
    process.exitCode = 2;
  }
}

/** Adds `diff` to the program. */
export const register = (program: Command): void => {
  withFiles(program.command("diff [args...]").usage("[options] -f FILE"))
    .option("-l, --selector <labels>", "only objects with these labels")
    .option("--server-side", "let the server merge the manifest (server-side apply)")
    .option("--force-conflicts", "with --server-side, take fields over from other managers")
    .option("--field-manager <name>", "the manager that owns the fields")
    .option("--show-managed-fields", "compare the managed fields too")
    .option("--show-secrets", "show the values of secrets")
    .option("--concurrency <n>", "accepted for scripts, without effect", integer, 1)
    .addHelpText(
      "after",
      "\nExamples:\n  orrery diff -f manifests/guestbook\n  KUBECTL_EXTERNAL_DIFF=meld orrery diff -f pod.yaml",
    )
    .action(run);
};
