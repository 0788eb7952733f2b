// orrery rollout: shows, undoes, restarts, pauses and resumes rollouts of workloads.
import type { Command } from "commander";
import type { Deployment, PodTemplateSpec } from "../../api/generated/types.ts";
import { timestamp } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { jsonLines } from "../client/connection.ts";
import { display, pathOf, query, type Resource } from "../client/resources.ts";
import { objectOf, type Revision, type Rollable, readRevisions, templateOf } from "../client/revisions.ts";
import { type Session, session } from "../client/session.ts";
import { fetchTargets, type TargetFlags, targetsOf, throwAll } from "../client/targets.ts";
import { nameOf, objectPrinter, type OutputFlags } from "../printers/output.ts";
import { alignTabs, describeStyle } from "../printers/tab-writer.ts";
import { duration, integer } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { progressOf } from "../rollout-status.ts";
import { clock, interruption } from "./cluster-option.ts";
import { dryRunOf, dryRunOption, dryRunSuffix } from "./dry-run.ts";
import { withFiles } from "./object-options.ts";
import { withOutput } from "./result.ts";

interface Flags extends GlobalFlags, TargetFlags, OutputFlags {
  readonly toRevision: number;
  readonly revision: number;
  readonly timeout: number;
  readonly watch: boolean;
  readonly dryRun?: string;
}
/** A workload and how to reach it. */
interface Workload {
  readonly scope: Session;
  readonly resource: Resource;
  readonly object: Rollable;
}
interface WatchEvent {
  readonly type: string;
  readonly object: Deployment;
}
type Verb = (workload: Workload, flags: Flags) => Promise<void>;

const shown = ({ resource, object }: Workload): string => display(resource, object.metadata.name);
/** `Job.batch`, as errors name kinds. */
const kindOf = ({ kind, group }: Resource): string => (group === "" ? kind : `${kind}.${group}`);
/** `deployments.apps "web"`, as errors name objects. */
const quoted = ({ resource, object }: Workload): string =>
  `${resource.plural}${resource.group === "" ? "" : `.${resource.group}`} ${JSON.stringify(object.metadata.name)}`;

async function status({ scope, resource, object }: Workload, flags: Flags): Promise<void> {
  const { name, namespace } = object.metadata;
  const limit = new AbortController();
  const signal = AbortSignal.any([interruption(), limit.signal]);
  const path = pathOf(resource, namespace) + query({ watch: true, fieldSelector: `metadata.name=${name}` });
  const ended = new AbortController();
  if (flags.timeout > 0)
    clock.sleep(flags.timeout, ended.signal).then(
      () => limit.abort(),
      () => {},
    );
  let lastMessage = "";
  try {
    // A server ends watches from time to time.
    while (!signal.aborted)
      for await (const { type, object: current } of jsonLines<WatchEvent>(scope.api.stream({ path }, signal))) {
        if (type === "BOOKMARK") continue;
        if (type === "DELETED") throw new CliError("object has been deleted");
        const progress = progressOf(current, flags.revision);
        if (!progress) throw new CliError(`no status viewer has been implemented for ${kindOf(resource)}`);
        if (progress.state === "failed") throw new CliError(progress.message);
        if (progress.message !== lastMessage) printLine(progress.message);
        lastMessage = progress.message;
        if (progress.state === "done" || !flags.watch) return;
      }
    if (limit.signal.aborted) throw new CliError("timed out waiting for the condition");
  } finally {
    ended.abort();
  }
}

async function revisions(workload: Workload, purpose: string): Promise<readonly Revision[]> {
  const found = await readRevisions(workload.scope.api, workload.object);
  if (!found) throw new CliError(`no ${purpose} has been implemented for ${JSON.stringify(kindOf(workload.resource))}`);
  return found;
}

async function history(workload: Workload, flags: Flags): Promise<void> {
  const all = await revisions(workload, "history viewer");
  const chosen = flags.revision > 0 ? all.filter((r) => r.number === flags.revision) : all;
  if (flags.revision > 0 && chosen.length === 0) throw new CliError("unable to find the specified revision");
  if (flags.output || flags.template) {
    const print = await objectPrinter(flags);
    for (const revision of chosen) process.stdout.write(print(objectOf(workload.object, revision)));
    return;
  }
  if (flags.revision > 0) {
    printLine(`${shown(workload)} with revision #${flags.revision}`);
    return printLine(await templateText(chosen[0]!));
  }
  printLine(`${shown(workload)} `);
  if (all.length === 0) return printLine("No rollout history found.");
  const lines = [["REVISION", "CHANGE-CAUSE"], ...all.map(({ number, cause }) => [String(number), cause])];
  printLine(alignTabs(lines.map((cells) => cells.join("\t")).join("\n"), describeStyle));
  printLine("");
}

/** The template as `describe` shows it, but with tabs, as kubectl prints it here. */
async function templateText({ template }: Revision): Promise<string> {
  const { templateLines } = await import("../describe/pods.ts");
  return `${templateLines(template ?? ({} as PodTemplateSpec)).join("\n")}\n`.replaceAll(/^ +\t/gm, "\t");
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

async function undo(workload: Workload, flags: Flags): Promise<void> {
  const dryRun = dryRunOf(flags.dryRun);
  const { scope, resource, object } = workload;
  const { name, namespace, annotations } = object.metadata;
  if (annotations?.[lastApplied])
    process.stderr.write(
      `Warning: resource ${resource.plural}/${name} was previously managed with 'kubectl apply'. Rolling back will not update the ${lastApplied} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n`,
    );
  if (object.spec?.paused && dryRun !== "client")
    throw new CliError(
      "you cannot rollback a paused deployment; resume it first with 'orrery rollout resume' and try again",
    );
  const all = await revisions(workload, "rollbacker");
  const target = flags.toRevision === 0 ? all.at(-2) : all.find((r) => r.number === flags.toRevision);
  if (!target && flags.toRevision !== 0)
    throw new CliError(`unable to find specified revision ${flags.toRevision} in history`);
  if (!target)
    throw new CliError(
      object.kind === "Deployment"
        ? `no rollout history found for deployment ${JSON.stringify(name)}`
        : "no last revision to roll back to",
    );
  const isDeployment = object.kind === "Deployment";
  const result = isDeployment ? "" : "will roll back to ";
  if (dryRun === "client") return printLine(`${shown(workload)} ${result}${await templateText(target)} (dry run)`);
  const { body } = await scope.api.request<object>({
    method: "PATCH",
    path:
      pathOf(resource, namespace, name) +
      query({ fieldManager: "kubectl", dryRun: dryRun === "server" ? "All" : undefined }),
    body: isDeployment
      ? [{ op: "replace", path: "/spec/template", value: templateOf(target) }]
      : (target.object as { readonly data?: unknown }).data,
    contentType: isDeployment ? "application/json-patch+json" : "application/strategic-merge-patch+json",
  });
  await printResult(body, `rolled back${dryRunSuffix(dryRun)}`, flags);
}

async function merge({ scope, resource, object }: Workload, patch: unknown): Promise<object> {
  const { namespace, name } = object.metadata;
  const { body } = await scope.api.request<object>({
    method: "PATCH",
    path: pathOf(resource, namespace, name) + query({ fieldManager: "kubectl-rollout" }),
    body: patch,
    contentType: "application/merge-patch+json",
  });
  return body;
}

async function printResult(object: object, operation: string, flags: Flags): Promise<void> {
  if (flags.output || flags.template) process.stdout.write((await objectPrinter(flags))(object));
  else printLine(`${nameOf(object)} ${operation}`);
}

async function restart(workload: Workload, flags: Flags): Promise<void> {
  const { kind, spec } = workload.object;
  if (!["Deployment", "DaemonSet", "StatefulSet"].includes(kind))
    throw new CliError(`${quoted(workload)} restarting is not supported`);
  if (spec?.paused)
    throw new CliError(`${quoted(workload)} can't restart paused deployment (run rollout resume first)`);
  const annotations = { "kubectl.kubernetes.io/restartedAt": timestamp(clock.now()) };
  const restarted = await merge(workload, { spec: { template: { metadata: { annotations } } } });
  await printResult(restarted, "restarted", flags);
}

const setPaused =
  (paused: boolean): Verb =>
  async (workload, flags) => {
    const { kind, spec } = workload.object;
    if (kind !== "Deployment")
      throw new CliError(`${quoted(workload)} ${paused ? "pausing" : "resuming"} is not supported`);
    if (paused === (spec?.paused === true))
      throw new CliError(`${quoted(workload)} is ${paused ? "already" : "not"} paused`);
    const patched = await merge(workload, { spec: { paused: paused || null } });
    await printResult(patched, paused ? "paused" : "resumed", flags);
  };

/** Runs a verb on all workloads that the arguments refer to. An error of one does not stop the others. */
const forEach =
  (verb: Verb) =>
  async (args: readonly string[], flags: Flags): Promise<void> => {
    if (args.length === 0 && !flags.filename?.length && !flags.kustomize)
      throw new CliError("required resource not specified", "For example: orrery rollout status deploy/web");
    if (flags.revision < 0) throw new CliError(`revision must be a positive integer: ${flags.revision}`);
    if (flags.output || flags.template) await objectPrinter(flags);
    dryRunOf(flags.dryRun);
    const scope = await session(flags);
    const { found, errors } = await fetchTargets(
      scope.api,
      await targetsOf(scope, args, flags, { listsTypes: true, suggested: ["deploy", "sts", "ds"] }),
    );
    if (found.length + errors.length === 0)
      process.stderr.write(`No resources found in ${scope.namespace} namespace.\n`);
    const failures: unknown[] = [];
    for (const { resource, object } of found)
      await verb({ scope, resource, object: object as Rollable }, flags).catch((error: unknown) =>
        failures.push(error),
      );
    throwAll([...failures, ...errors]);
  };

const verbs: readonly (readonly [name: string, summary: string, verb: Verb])[] = [
  ["status", "follow a rollout until it is done or has failed", status],
  ["history", "list the revisions, or show one with --revision", history],
  ["undo", "return to an earlier revision", undo],
  ["restart", "replace every pod, a few at a time", restart],
  ["pause", "keep changes from being rolled out", setPaused(true)],
  ["resume", "roll out the changes since the pause", setPaused(false)],
];

/** Adds `rollout` and its verbs to the program. */
export const register = (program: Command): void => {
  const rollout = program
    .command("rollout")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery rollout status deploy/web\n  orrery rollout undo deploy/web --to-revision 2",
    );
  for (const [name, summary, verb] of verbs) {
    const command = withFiles(rollout.command(`${name} [args...]`))
      .summary(summary)
      .usage("[options] (TYPE NAME | TYPE/NAME)")
      .option("-l, --selector <labels>", "workloads with these labels");
    if (name === "undo")
      command
        .option("--to-revision <n>", "the revision; by default the one before the current", integer, 0)
        .addOption(dryRunOption());
    if (name === "history") command.option("--revision <n>", "show this revision", integer, 0);
    if (name === "status")
      command
        .option("--revision <n>", "fail when another revision is running", integer, 0)
        .option("--timeout <duration>", "how long to follow the rollout; 0 is without limit", duration, 0)
        .option("-w, --watch", "follow the rollout until it is done", true);
    else withOutput(command);
    command.action(forEach(verb));
  }
};
