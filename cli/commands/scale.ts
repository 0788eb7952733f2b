// orrery scale: sets the replicas of workloads.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { checkTargets, fetchTargets, type Found, type TargetFlags, targetsOf, throwAll } from "../client/targets.ts";
import { duration, integer32 } from "../program/flag-values.ts";
import { clock } from "./cluster-option.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, type Results, resultsOf, withResult } from "./result.ts";

interface Flags extends ResultFlags, TargetFlags {
  readonly replicas: number;
  readonly currentReplicas: number;
  readonly resourceVersion?: string;
  readonly timeout: number;
}
type Scale = ApiObject & {
  readonly spec: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
};

/** Throws CliError unless the object is as the flags demand. */
function checkPreconditions(scale: Scale, { currentReplicas, resourceVersion }: Flags): void {
  const { replicas = 0 } = scale.spec;
  if (currentReplicas >= 0 && replicas !== currentReplicas)
    throw new CliError(`Expected replicas to be ${currentReplicas}, was ${replicas}`);
  if (resourceVersion && scale.metadata.resourceVersion !== resourceVersion)
    throw new CliError(`Expected resource version to be ${resourceVersion}, was ${scale.metadata.resourceVersion}`);
}

/** Sets the replicas; with preconditions, only if nothing has changed since they were checked. */
async function setReplicas(api: Connection, path: string, flags: Flags, results: Results): Promise<void> {
  const parameters = query({ fieldManager: "kubectl", dryRun: results.dryRunParameter });
  const { replicas } = flags;
  if (flags.currentReplicas < 0 && !flags.resourceVersion) {
    const contentType = "application/merge-patch+json";
    await api.request({
      method: "PATCH",
      path: `${path}/scale${parameters}`,
      body: { spec: { replicas } },
      contentType,
    });
    return;
  }
  const scale = await api.get<Scale>(`${path}/scale`);
  checkPreconditions(scale, flags);
  const body = { ...scale, spec: { ...scale.spec, replicas } };
  await api.request({ method: "PUT", path: `${path}/scale${parameters}`, body });
}

async function untilScaled(api: Connection, path: string, { replicas, timeout }: Flags): Promise<void> {
  const deadline = clock.now() + timeout;
  for (;;) {
    const { metadata, spec, status } = await api.get<Scale>(`${path}/scale`);
    if (spec.replicas !== replicas || status?.replicas === replicas) return;
    if (clock.now() > deadline) throw new CliError(`timed out waiting for "${metadata.name}" to be synced`);
    await clock.sleep(200);
  }
}

async function scaleOne(
  { api, whileShowing }: Session,
  { resource, object }: Found,
  flags: Flags,
  results: Results,
): Promise<void> {
  const path = pathOf(resource, object.metadata.namespace, object.metadata.name);
  if (results.dryRun === "client") {
    const { spec } = object as ApiObject & { readonly spec?: object };
    return results.print({ ...object, spec: { ...spec, replicas: flags.replicas } }, "scaled");
  }
  await setReplicas(api, path, flags, results);
  if (flags.timeout > 0 && results.dryRun === "none")
    await whileShowing(`waiting for the replicas of ${object.metadata.name}`, () => untilScaled(api, path, flags));
  results.print(flags.output ? await api.get<ApiObject>(path) : object, "scaled");
}

const scale = async (args: readonly string[], flags: Flags): Promise<void> => {
  if (flags.replicas < 0)
    throw new CliError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
  if (flags.currentReplicas < -1) throw new CliError("The --current-replicas must specify an integer of -1 or greater");
  const results = await resultsOf(flags);
  checkTargets(args, flags, {});
  const scope = await session(flags);
  const { found, errors: missing } = await fetchTargets(
    scope.api,
    await targetsOf(scope, args, flags, { suggested: ["deploy", "sts", "rs"] }),
  );
  const errors = [...missing];
  if (flags.resourceVersion && found.length > 1)
    throw new CliError("cannot use --resource-version with multiple resources");
  if (found.length === 0 && errors.length === 0) throw new CliError("no objects passed to scale");
  for (const each of found) await scaleOne(scope, each, flags, results).catch((error: unknown) => errors.push(error));
  throwAll(errors);
};

/** Adds `scale` to the program. */
export const register = (program: Command): void => {
  withResult(withFiles(program.command("scale [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME...)")))
    .requiredOption("--replicas <n>", "the number of replicas", integer32, 0)
    .option("--current-replicas <n>", "only if it has this many replicas now", integer32, -1)
    .option("--resource-version <version>", "only if the object still has this version")
    .option("--all", "all objects of the types")
    .option("-l, --selector <labels>", "objects with these labels, such as app=web,tier!=cache")
    .option("--timeout <time>", "how long to wait until all replicas exist; 0 does not wait", duration, 0)
    .addHelpText(
      "after",
      "\nExamples:\n  orrery scale deploy/web --replicas=5\n  orrery scale deploy web --replicas=5 --current-replicas=2",
    )
    .action(scale);
};
