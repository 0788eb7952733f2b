// orrery create: creates objects from manifests, or generates them from flags.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { hasReason } from "../../api/errors.ts";
import { configuredObject, newObject } from "../client/file-object.ts";
import { matchesSelector } from "../client/manifest-selector.ts";
import { withSource } from "../client/source-error.ts";
import { CliError } from "../cli-error.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { unsupportedBy } from "../client/unsupported.ts";
import { manifestTargets, type Target, type TargetFlags, throwAll } from "../client/targets.ts";
import { warn } from "../program/output.ts";
import { similar } from "../program/suggestions.ts";
import { addAccess } from "./create-access.ts";
import { addConfig } from "./create-config.ts";
import { type CreateFlags, withGeneration } from "./create-object.ts";
import { addPolicies } from "./create-policies.ts";
import { addWorkloads } from "./create-workloads.ts";
import { fieldValidationOf, validateOption } from "./field-validation.ts";
import { withFiles } from "./object-options.ts";
import { type Results, resultsOf } from "./result.ts";

type Flags = CreateFlags & TargetFlags;

async function createOne({ api }: Session, target: Target, flags: Flags, results: Results): Promise<void> {
  const object = configuredObject(target, flags);
  if (results.dryRun === "client") return results.print(object, "created");
  const parameters = {
    fieldManager: flags.fieldManager,
    fieldValidation: fieldValidationOf(flags.validate),
    dryRun: results.dryRunParameter,
  };
  const path = pathOf(target.resource, target.namespace) + query(parameters);
  results.print((await api.request<ApiObject>({ method: "POST", path, body: newObject(object) })).body, "created");
}

async function createFromFiles(args: readonly string[], flags: Flags, command: Command): Promise<void> {
  if (args.length > 0) {
    const [near] = similar(
      args[0]!,
      command.commands.map((c) => c.name()),
    );
    const advice = near === undefined ? "" : `Did you mean: orrery create ${near}? `;
    throw new CliError(`Unexpected args: [${args.join(" ")}]`, `${advice}See 'orrery create -h' for help and examples`);
  }
  if (!flags.filename?.length && !flags.kustomize) throw new CliError("must specify one of -f and -k");
  const results = await resultsOf(flags);
  fieldValidationOf(flags.validate);
  const scope = await session(flags);
  const errors: unknown[] = [];
  const { selector: _, ...files } = flags;
  const targets = (await manifestTargets(scope, files)).filter((target) => matchesSelector(target, flags.selector));
  if (targets.length === 0) throw new CliError("no objects passed to create");
  const objects = targets.map(({ manifest }) => manifest!.object);
  if (!flags.quiet) for (const warning of await unsupportedBy(scope.api, objects)) warn(warning);
  for (const target of targets)
    await createOne(scope, target, flags, results).catch((error: unknown) =>
      errors.push(hasReason(error, "Invalid") ? error : withSource(error, "creating", target.manifest!.file)),
    );
  throwAll(errors);
}

/** Adds `create` to the program. */
export const register = (program: Command): void => {
  const command = program.command("create").argument("[args...]").usage("[options] (-f FILE | COMMAND)");
  withGeneration(withFiles(command), "kubectl-create")
    .option("-l, --selector <labels>", "only objects with these labels")
    .addOption(validateOption())
    .addHelpText(
      "after",
      "\nExamples:\n  orrery create -f pod.yaml\n  orrery create deployment web --image=nginx --replicas=3",
    )
    .action((args: readonly string[], flags: Flags) => createFromFiles(args, flags, command));
  addWorkloads(command);
  addConfig(command);
  addAccess(command);
  addPolicies(command);
};
