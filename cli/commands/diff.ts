// orrery diff: shows how objects would change if manifests were applied, or how they differ between two moments.
import type { Command } from "commander";
import { ifFound } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { refuse } from "../client/manifests.ts";
import { matchesSelector } from "../client/manifest-selector.ts";
import { type Session, session } from "../client/session.ts";
import { manifestTargets, type Target, type TargetFlags, targetPath } from "../client/targets.ts";
import { integer, strings } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { errorText } from "../program/report.ts";
import { applyInClient, applyInServer, fieldManagers } from "./apply-object.ts";
import { compareVersions, type NamedVersions, shown, type Versions, withoutSecrets } from "./diff-versions.ts";
import { withFiles } from "./object-options.ts";

interface Flags extends GlobalFlags, TargetFlags {
  readonly fieldManager?: string;
  readonly serverSide?: boolean;
  readonly forceConflicts?: boolean;
  readonly showManagedFields?: boolean;
  readonly showSecrets?: boolean;
  /** Two moments, or one that is compared with now. */
  readonly at?: readonly string[];
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
  const versions = { before: live && shown(live, flags), after: shown(object, flags) };
  return flags.showSecrets ? versions : withoutSecrets(versions);
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
  const versions: NamedVersions[] = [];
  for (const target of targets) versions.push({ target, ...(await versionsOf(scope, target, flags)) });
  return compareVersions(versions, flags.environment, ["LIVE-", "MERGED-"]);
}

/** Exit codes above 1 tell errors from differences. */
async function run(args: readonly string[], flags: Flags): Promise<void> {
  try {
    if (flags.at) {
      const { diffMoments } = await import("./diff-moments.ts");
      process.exitCode = await diffMoments(args, { ...flags, at: flags.at });
      return;
    }
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
  withFiles(program.command("diff [args...]").usage("[options] (-f FILE | [TYPE [NAME] | TYPE/NAME] --at A [--at B])"))
    .option("-l, --selector <labels>", "only objects with these labels")
    .option("--server-side", "let the server merge the manifest (server-side apply)")
    .option("--force-conflicts", "with --server-side, take fields over from other managers")
    .option("--field-manager <name>", "the manager that owns the fields")
    .option("--show-managed-fields", "compare the managed fields too")
    .option("--show-secrets", "show the values of secrets")
    .option("--at <moment>", "compare the past, not files: objects then and now, or at two moments", strings)
    .option("--concurrency <n>", "accepted for scripts, without effect", integer, 1)
    .addHelpText(
      "after",
      "\nExamples:\n  orrery diff -f manifests/guestbook\n  orrery diff deploy/web --at 10m\n  orrery diff -n shop --at 4711 --at 4802\n  KUBECTL_EXTERNAL_DIFF=meld orrery diff -f pod.yaml",
    )
    .action(run);
};
