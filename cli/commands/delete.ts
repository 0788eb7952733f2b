// orrery delete: deletes objects by name, selector or manifest, and waits until they are gone.
import { type Command, Option } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { display, pathOf, typeName } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { withSource } from "../client/source-error.ts";
import {
  checkTargets,
  fetchTargets,
  type Target,
  type TargetFlags,
  targetPath,
  targetsOf,
  throwAll,
} from "../client/targets.ts";
import { duration, integer } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine, warn } from "../program/output.ts";
import { clock } from "./cluster-option.ts";
import { propagationPolicyOf } from "./cascade.ts";
import { type DryRun, dryRunOf, dryRunOption, dryRunSuffix } from "./dry-run.ts";
import { withFiles, withSelection } from "./object-options.ts";

interface Flags extends GlobalFlags, TargetFlags {
  readonly wait: boolean;
  readonly gracePeriod: number;
  readonly timeout: number;
  readonly cascade: string;
  readonly force?: boolean;
  readonly now?: boolean;
  readonly ignoreNotFound?: boolean;
  readonly dryRun?: string;
  readonly output?: string;
  readonly raw?: string;
}

/** How objects are deleted, from the flags. */
interface Plan {
  /** In seconds; undefined for the default of the object. */
  readonly gracePeriod: number | undefined;
  readonly propagationPolicy: string;
  readonly waits: boolean;
  readonly dryRun: DryRun;
}

/** The seconds that pods have to end. Throws CliError for flags that contradict each other. */
function gracePeriodOf({ now, force, gracePeriod }: Flags): number | undefined {
  if (now && gracePeriod >= 0) throw new CliError("--now and --grace-period cannot be specified together");
  if (now) return 1;
  if (gracePeriod === 0 && !force) return 1;
  if (force && gracePeriod < 0) return 0;
  if (force && gracePeriod > 0)
    throw new CliError("--force and --grace-period greater than 0 cannot be specified together");
  return gracePeriod < 0 ? undefined : gracePeriod;
}

/** Checks all flags; nothing has been sent yet. Throws CliError in kubectl's words. */
function planOf(args: readonly string[], flags: Flags): Plan {
  const dryRun = dryRunOf(flags.dryRun);
  const propagationPolicy = propagationPolicyOf(flags.cascade);
  if (flags.output !== undefined && flags.output !== "name")
    throw new CliError(`unexpected -o output mode: ${flags.output}. We only support '-o name'`);
  if (flags.selector && flags.all) throw new CliError("setting 'all' parameter but found a non empty selector. ");
  checkTargets(args, flags, {});
  const gracePeriod = gracePeriodOf(flags);
  if (flags.force && (gracePeriod ?? 0) === 0)
    warn(
      "Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.",
    );
  const waits = flags.wait && dryRun === "none" && !(flags.force && gracePeriod === 0);
  return { gracePeriod, propagationPolicy, waits, dryRun };
}

/** Waits until the object of this uid is gone, or another has taken its name. */
async function untilGone(api: Connection, path: string, uid: string | undefined, deadline: number): Promise<void> {
  for (;;) {
    try {
      const { metadata } = await api.get<ApiObject>(path);
      if (uid !== undefined && metadata.uid !== uid) return;
    } catch (e) {
      if (hasReason(e, "NotFound")) return;
      throw e;
    }
    if (clock.now() > deadline)
      throw new CliError(`timed out waiting for the condition on ${path.split("/").slice(-2).join("/")}`);
    await clock.sleep(100);
  }
}

/** Lists become the objects that they select. */
async function named({ api }: Session, targets: readonly Target[]): Promise<readonly Target[]> {
  const lists = targets.filter(({ name }) => name === undefined);
  const { found, errors } = await fetchTargets(api, lists);
  throwAll(errors);
  const selected = found.map(({ resource, object: { metadata } }) => ({
    resource,
    namespace: metadata.namespace,
    name: metadata.name,
  }));
  const all = [...targets.filter(({ name }) => name !== undefined), ...selected];
  if (all.length === 0) printLine("No resources found");
  return all;
}

type Deleted = Partial<ApiObject> & { readonly details?: { readonly uid?: string } };

async function remove(api: Connection, target: Target, plan: Plan): Promise<string | undefined> {
  const path = targetPath(target);
  if (plan.dryRun === "client") return (await api.get<ApiObject>(path)).metadata.uid;
  const body = {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: plan.propagationPolicy,
    ...(plan.gracePeriod === undefined ? {} : { gracePeriodSeconds: plan.gracePeriod }),
    // A server that reads options from a body ignores those of the query.
    ...(plan.dryRun === "server" ? { dryRun: ["All"] } : {}),
  };
  const response = await api.request<Deleted>({ method: "DELETE", path, body });
  return response.body.metadata?.uid ?? response.body.details?.uid;
}

const message = ({ resource, namespace, name }: Target, flags: Flags, plan: Plan): string => {
  if (flags.output === "name") return display(resource, name ?? "");
  const how = flags.force && plan.gracePeriod === 0 ? "force deleted" : "deleted";
  const where = namespace === undefined ? "" : ` from ${namespace} namespace`;
  return `${typeName(resource)} "${name}" ${how}${where}${dryRunSuffix(plan.dryRun)}`;
};

const deleteAll = async (args: readonly string[], flags: Flags): Promise<void> => {
  if (flags.raw !== undefined) {
    if (args.length > 0) throw new CliError("arguments may not be passed when --raw is specified");
    const { api } = await session(flags);
    return printLine(JSON.stringify((await api.request({ method: "DELETE", path: flags.raw })).body));
  }
  const plan = planOf(args, flags);
  const scope = await session(flags);
  const targets = await named(scope, await targetsOf(scope, args, flags));
  const errors: unknown[] = [];
  const gone: { readonly target: Target; readonly uid: string | undefined }[] = [];
  for (const target of targets) {
    try {
      const uid = await remove(scope.api, target, plan);
      printLine(message(target, flags, plan));
      gone.push({ target, uid });
    } catch (e) {
      // What a selector found may have gone meanwhile.
      const isExpected = hasReason(e, "NotFound") && (flags.ignoreNotFound || flags.all || flags.selector);
      const { manifest } = target;
      if (!isExpected) errors.push(manifest ? withSource(e, "deleting", manifest.file) : e);
    }
  }
  const deadline = flags.timeout > 0 ? clock.now() + flags.timeout : Number.POSITIVE_INFINITY;
  if (plan.waits)
    for (const { target, uid } of gone) {
      const path = pathOf(target.resource, target.namespace, target.name);
      const text = `waiting until ${display(target.resource, target.name!)} is gone`;
      await scope.whileShowing(text, () => untilGone(scope.api, path, uid, deadline));
    }
  throwAll(errors);
};

/** Adds `delete` to the program. */
export const register = (program: Command): void => {
  withFiles(withSelection(program.command("delete [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME...)")))
    .option("--all", "all objects of the type in the namespace")
    .option("--wait", "wait until they are gone", true)
    .option("--timeout <duration>", "how long to wait, such as 30s; 0 waits until they are gone", duration, 0)
    .option("--grace-period <seconds>", "how long pods have to end; negative for their own", integer, -1)
    .option("--now", "give pods one second to end")
    .option("--force", "remove from the API at once, without waiting for the pods' end")
    .addOption(
      new Option("--cascade [strategy]", "what becomes of dependents: background, foreground or orphan")
        .preset("background")
        .default("background"),
    )
    .option("--ignore-not-found", "treat missing objects as deleted")
    .addOption(dryRunOption())
    .option("-o, --output <format>", "name prints TYPE/NAME only")
    .option("--raw <path>", "delete at this path of the API")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery delete -f manifests/guestbook\n  orrery delete pod web-1 --now\n  orrery delete pods -l app=web",
    )
    .action(deleteAll);
};
