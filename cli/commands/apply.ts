// orrery apply: creates or updates the objects of manifests.
import { type Command, Option } from "commander";
import { ApiError, hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { matchesSelector } from "../client/manifest-selector.ts";
import type { ManifestError, ManifestObject } from "../client/manifests.ts";
import type { Session } from "../client/session.ts";
import { session } from "../client/session.ts";
import { refuse } from "../client/manifests.ts";
import { manifestTargets, type Target, type TargetFlags, targetPath } from "../client/targets.ts";
import { unsupportedBy } from "../client/unsupported.ts";
import { integer } from "../program/flag-values.ts";
import { warn } from "../program/output.ts";
import { registerLastApplied } from "./apply-last.ts";
import { type ApplyOptions, applyInClient, applyInServer, fieldManagers } from "./apply-object.ts";
import { clock } from "./cluster-option.ts";
import { dryRunOf } from "./dry-run.ts";
import { fieldValidationOf, validateOption } from "./field-validation.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, type Results, resultsOf, withResult } from "./result.ts";

interface Flags extends ResultFlags, TargetFlags {
  readonly validate?: string;
  readonly serverSide?: boolean;
  readonly forceConflicts?: boolean;
  readonly force?: boolean;
  readonly gracePeriod: number;
  readonly fieldManager?: string;
  readonly prune?: boolean;
}

/** Checks arguments and flags. Throws CliError in kubectl's words; nothing has been sent. */
function optionsOf(args: readonly string[], flags: Flags): ApplyOptions {
  const help = "See 'orrery apply -h' for help and examples";
  if (args.length > 0) throw new CliError(`Unexpected args: [${args.join(" ")}]`, help);
  if (!flags.filename?.length && !flags.kustomize) throw new CliError("must specify one of -f and -k");
  if (flags.prune)
    throw new CliError("--prune is not supported", "Delete what is no longer needed: orrery delete -f FILE");
  const dryRun = dryRunOf(flags.dryRun);
  if (flags.forceConflicts && !flags.serverSide) throw new CliError("--force-conflicts only works with --server-side");
  if (flags.force && flags.serverSide) throw new CliError("--force cannot be used with --server-side");
  if (dryRun === "client" && flags.serverSide)
    throw new CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  return {
    dryRun,
    fieldManager: flags.fieldManager ?? fieldManagers[flags.serverSide ? "server" : "client"],
    fieldValidation: fieldValidationOf(flags.validate),
    force: flags.force === true,
    forceConflicts: flags.forceConflicts === true,
    gracePeriod: flags.gracePeriod,
  };
}

/** How long a definition may take to be served. */
const servedTimeoutMs = 5000;

const located = ({ file, line, message }: ManifestError): string => `${file}:${line}: ${message}`;

/** The causes of an error with the lines of their fields. */
function causesOf(object: ManifestObject, error: ApiError): readonly string[] {
  const causes = error.details?.causes?.filter((c) => c.field) ?? [];
  if (causes.length === 0) return [located({ ...object, message: error.message })];
  return causes.map((c) =>
    located({ file: object.file, line: object.lineOf(c.field!), message: `${c.field}: ${c.message}` }),
  );
}

/** kubectl's advice about fields of other managers. */
const conflictAdvice = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;

/** Namespaces and definitions first: other objects need them. */
const inOrder = (targets: readonly Target[]): readonly Target[] => {
  const isNeeded = ({ resource }: Target): boolean =>
    resource.kind === "Namespace" || resource.kind === "CustomResourceDefinition";
  return [...targets.filter(isNeeded), ...targets.filter((target) => !isNeeded(target))];
};

/** The objects of the manifests. Throws CliError for all errors in them at once, before anything is sent. */
async function checkedTargets(scope: Session, flags: Flags, strict: boolean): Promise<readonly Target[]> {
  const { selector, ...files } = flags;
  const targets = (await manifestTargets(scope, files)).filter((target) => matchesSelector(target, selector));
  if (targets.length === 0) throw new CliError("no objects passed to apply");
  const unnamed = targets.find(({ name }) => name === undefined);
  if (unnamed)
    throw new CliError(`from ${unnamed.manifest!.object.metadata.generateName}: cannot use generate name with apply`);
  if (strict) {
    const { errorsIn } = await import("../client/manifest-check.ts");
    refuse(targets.flatMap(({ manifest }) => errorsIn(manifest!)));
  }
  return inOrder(targets);
}

/** Waits until the server serves the kinds of a definition, which other manifests may use. */
async function untilServed({ api }: Pick<Session, "api">, target: Target): Promise<void> {
  const deadline = clock.now() + servedTimeoutMs;
  while (clock.now() < deadline) {
    const { status } = await api.get<CustomResourceDefinition>(targetPath(target));
    if (conditionOf(status?.conditions, "Established")?.status === "True") return;
    await clock.sleep(50);
  }
}

/** Applies all objects; an error of one does not stop the others. */
async function applyAll(
  scope: Session,
  targets: readonly Target[],
  {
    results,
    options,
    serverSide,
    isOneOutput,
  }: {
    readonly results: Results;
    readonly options: ApplyOptions;
    readonly serverSide: boolean;
    /** Whether all objects are printed as one, a List if there are several. */
    readonly isOneOutput: boolean;
  },
): Promise<void> {
  const applier = serverSide ? applyInServer : applyInClient;
  const rejected: string[] = [];
  const objects: ApiObject[] = [];
  for (const target of targets) {
    try {
      const { object, operation } = await applier(scope, target, options);
      if (isOneOutput) objects.push(object);
      else results.print(object, operation);
      if (target.resource.kind === "CustomResourceDefinition" && options.dryRun === "none")
        await scope.whileShowing("waiting until the new kind is served", () => untilServed(scope, target));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (serverSide && hasReason(error, "Conflict")) rejected.push(`${error.message}\n${conflictAdvice}`);
      else rejected.push(...causesOf(target.manifest!, error));
    }
  }
  if (rejected.length > 0)
    throw new CliError(rejected.length === 1 ? rejected[0]! : `not applied:\n${rejected.join("\n")}`);
  const list = { apiVersion: "v1", items: objects, kind: "List", metadata: {} };
  if (objects.length > 0) results.print(objects.length === 1 ? objects[0]! : list, "");
}

const apply = async (args: readonly string[], flags: Flags): Promise<void> => {
  const options = optionsOf(args, flags);
  const results = await resultsOf(flags);
  const scope = await session(flags);
  const targets = await checkedTargets(scope, flags, options.fieldValidation === "Strict");
  const objects = targets.map(({ manifest }) => manifest!.object);
  if (!flags.quiet) for (const warning of await unsupportedBy(scope.api, objects)) warn(warning);
  const isOneOutput = Boolean(flags.output) && flags.output !== "name";
  await applyAll(scope, targets, { results, options, serverSide: flags.serverSide === true, isOneOutput });
};

/** Adds `apply` and its subcommands to the program. */
export const register = (program: Command): void => {
  const command = withResult(withFiles(program.command("apply [args...]")))
    .usage("[options] -f FILE")
    .option("--server-side", "let the server merge the manifest (server-side apply)")
    .option("--force-conflicts", "with --server-side, take fields over from other managers")
    .option("--force", "delete and create again what cannot be changed")
    .option("--grace-period <seconds>", "with --force, how long pods have to end", integer, -1)
    .option("--field-manager <name>", "the manager that owns the fields")
    .option("-l, --selector <labels>", "only objects with these labels")
    .addOption(validateOption())
    .addOption(new Option("--prune").hideHelp())
    .addHelpText("after", "\nExamples:\n  orrery apply -f manifests/guestbook\n  cat pod.yaml | orrery apply -f -")
    .action(apply);
  for (const name of ["--overwrite", "--openapi-patch", "--wait", "--all"])
    command.addOption(new Option(name).hideHelp());
  registerLastApplied(command);
};
