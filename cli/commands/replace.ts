// orrery replace: replaces objects by those of manifests, in place or by deleting and creating them.
import type { Command } from "commander";
import { hasReason, ifFound } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { configuredObject, newObject } from "../client/file-object.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { unsupportedBy } from "../client/unsupported.ts";
import { withSource } from "../client/source-error.ts";
import { manifestTargets, type Target, type TargetFlags, targetPath, throwAll } from "../client/targets.ts";
import { textOf } from "../client/connection.ts";
import { duration, integer } from "../program/flag-values.ts";
import { printLine, warn } from "../program/output.ts";
import { clock } from "./cluster-option.ts";
import { propagationPolicyOf } from "./cascade.ts";
import { fieldValidationOf, validateOption } from "./field-validation.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, type Results, resultsOf, withResult } from "./result.ts";

interface Flags extends ResultFlags, TargetFlags {
  readonly fieldManager: string;
  readonly saveConfig?: boolean;
  readonly validate?: string;
  readonly subresource?: string;
  readonly force?: boolean;
  readonly cascade: string;
  readonly gracePeriod: number;
  readonly timeout: number;
  readonly raw?: string;
}

/** How long a deleted object may take to disappear, as kubectl waits. */
const defaultTimeoutMs = 300_000;

/** Checks flags that depend on each other. Throws CliError in kubectl's words; nothing has been sent. */
function check(flags: Flags): void {
  propagationPolicyOf(flags.cascade);
  if (flags.gracePeriod >= 0 && !flags.force) throw new CliError("--grace-period must have --force specified");
  if (flags.timeout !== 0 && !flags.force) throw new CliError("--timeout must have --force specified");
  if (!flags.filename?.length && !flags.kustomize) throw new CliError("must specify one of -f and -k");
}

const parametersOf = (flags: Flags, results: Results): string =>
  query({
    fieldManager: flags.fieldManager,
    fieldValidation: fieldValidationOf(flags.validate),
    dryRun: results.dryRunParameter,
  });

const unnamed = ({ manifest }: Target): CliError =>
  new CliError(`error when replacing ${JSON.stringify(manifest!.file)}: resource name may not be empty`);

async function replaceOne({ api }: Session, target: Target, flags: Flags, results: Results): Promise<void> {
  if (target.name === undefined) throw unnamed(target);
  const object = configuredObject(target, flags);
  if (results.dryRun === "client") return results.print(object, "replaced");
  const part = flags.subresource ? `/${flags.subresource}` : "";
  const path = targetPath(target) + part + parametersOf(flags, results);
  results.print((await api.request<ApiObject>({ method: "PUT", path, body: object })).body, "replaced");
}

/** Deletes an object and waits until it is gone. */
async function remove({ api }: Session, target: Target, flags: Flags): Promise<void> {
  const path = targetPath(target);
  const body = {
    propagationPolicy: propagationPolicyOf(flags.cascade),
    ...(flags.gracePeriod < 0 ? {} : { gracePeriodSeconds: flags.gracePeriod }),
  };
  const deleted = await ifFound(api.request<ApiObject>({ method: "DELETE", path, body }));
  if (!deleted) return;
  const { resource, name, namespace } = target;
  const where = namespace === undefined ? "" : ` from ${namespace} namespace`;
  printLine(`${resource.singular || resource.plural} "${name}" deleted${where}`);
  const deadline = clock.now() + (flags.timeout || defaultTimeoutMs);
  while (await ifFound(api.get(path))) {
    if (clock.now() > deadline) throw new CliError("timed out waiting for the condition");
    await clock.sleep(100);
  }
}

async function recreate(scope: Session, target: Target, flags: Flags, results: Results): Promise<void> {
  if (target.name === undefined) throw unnamed(target);
  const object = configuredObject(target, flags);
  if (results.dryRun !== "none") return results.print(object, "replaced");
  await remove(scope, target, flags);
  const path = pathOf(target.resource, target.namespace) + parametersOf(flags, results);
  results.print(
    (await scope.api.request<ApiObject>({ method: "POST", path, body: newObject(object) })).body,
    "replaced",
  );
}

/** Sends a file as it is to a path of the API. */
async function replaceRaw(path: string, flags: Flags): Promise<void> {
  const [file, ...more] = flags.filename ?? [];
  if (file === undefined || more.length > 0) throw new CliError("--raw can only use a single local file or stdin");
  const { readFile } = await import("node:fs/promises");
  const body = file === "-" ? await textOf(process.stdin) : await readFile(file, "utf8");
  const { api } = await session({ ...flags, filename: [] });
  const response = await api.request<unknown>({ method: "PUT", path, body });
  process.stdout.write(typeof response.body === "string" ? response.body : `${JSON.stringify(response.body)}\n`);
}

const replace = async (args: readonly string[], flags: Flags): Promise<void> => {
  check(flags);
  if (args.length > 0)
    throw new CliError(`Unexpected args: [${args.join(" ")}]`, "See 'orrery replace -h' for help and examples");
  if (flags.raw) return replaceRaw(flags.raw, flags);
  const results = await resultsOf(flags);
  fieldValidationOf(flags.validate);
  const scope = await session(flags);
  const errors: unknown[] = [];
  const targets = await manifestTargets(scope, flags);
  const objects = targets.map(({ manifest }) => manifest!.object);
  if (!flags.quiet) for (const warning of await unsupportedBy(scope.api, objects)) warn(warning);
  for (const target of targets) {
    const attempt = flags.force ? recreate : replaceOne;
    await attempt(scope, target, flags, results).catch((error: unknown) =>
      errors.push(hasReason(error, "Invalid") ? error : withSource(error, "replacing", target.manifest!.file)),
    );
  }
  throwAll(errors);
};

/** Adds `replace` to the program. */
export const register = (program: Command): void => {
  withResult(withFiles(program.command("replace [args...]").usage("[options] -f FILE")))
    .option("--force", "delete the objects and create them again")
    .option("--cascade <how>", "how dependents are deleted: background, foreground or orphan", "background")
    .option("--grace-period <seconds>", "how long deleted pods may take to end", integer, -1)
    .option("--timeout <time>", "how long to wait for a deletion", duration, 0)
    .option("--wait", "wait until deleted objects are gone")
    .option("--subresource <name>", "replace this subresource, such as status or scale")
    .option("--field-manager <name>", "the manager that owns the fields", "kubectl-replace")
    .option("--save-config", "keep the configuration in an annotation, for a later kubectl apply")
    .option("--raw <path>", "send the file to this path of the API")
    .addOption(validateOption())
    .addHelpText("after", "\nExamples:\n  orrery replace -f pod.yaml\n  orrery replace --force -f pod.yaml")
    .action(replace);
};
