// What `cordon`, `uncordon` and `drain` share: which nodes, and whether pods may be scheduled to them.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import type { Node } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { fetchTargets, targetsOf, throwAll } from "../client/targets.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { type DryRun, dryRunOf, dryRunOption, dryRunSuffix } from "./dry-run.ts";
import { printLine } from "../program/output.ts";

export interface NodeFlags extends GlobalFlags {
  readonly selector?: string;
  readonly dryRun?: string;
}

/** Adds the options that select nodes. */
export const withNodes = (command: Command): Command =>
  command.option("-l, --selector <labels>", "nodes with these labels, such as zone=a").addOption(dryRunOption());

/** The nodes of the arguments. Throws CliError in kubectl's words, and the server's error for a missing node. */
export async function nodesOf(
  verb: string,
  args: readonly string[],
  flags: NodeFlags,
): Promise<{ readonly scope: Session; readonly nodes: readonly Node[]; readonly dryRun: DryRun }> {
  const misuse = (message: string): CliError => new CliError(message, `See 'orrery ${verb} -h' for help and examples`);
  const dryRun = dryRunOf(flags.dryRun);
  if (args.length > 0 && flags.selector) throw misuse("cannot specify both a node name and a --selector option");
  if (args.length === 0 && !flags.selector) throw misuse(`USAGE: ${verb} NODE [flags]`);
  const scope = await session(flags);
  const targets =
    args.length > 0
      ? await targetsOf(scope, args, {}, { defaultType: "nodes" })
      : await targetsOf(scope, ["nodes"], { selector: flags.selector! });
  const { found, errors } = await fetchTargets(scope.api, targets);
  throwAll(errors);
  return { scope, nodes: found.map(({ object }) => object as Node), dryRun };
}

/** Sets whether pods may be scheduled to a node, and prints what happened. */
export async function setSchedulable(
  { api }: Session,
  { metadata: { name }, spec }: Node,
  schedulable: boolean,
  dryRun: DryRun,
): Promise<void> {
  const operation = schedulable ? "uncordoned" : "cordoned";
  if (Boolean(spec.unschedulable) !== schedulable) {
    printLine(`node/${name} already ${operation}${dryRunSuffix(dryRun)}`);
    return;
  }
  if (dryRun !== "client") {
    const parameters = query({ fieldManager: "kubectl", dryRun: dryRun === "server" ? "All" : undefined });
    const nodes = { group: "", version: "v1", plural: "nodes", namespaced: false };
    await api.request<ApiObject>({
      method: "PATCH",
      path: pathOf(nodes, undefined, name) + parameters,
      body: { spec: { unschedulable: schedulable ? null : true } },
      contentType: "application/merge-patch+json",
    });
  }
  printLine(`node/${name} ${operation}${dryRunSuffix(dryRun)}`);
}

/** Adds `cordon` or `uncordon` to the program. */
export function addScheduling(program: Command, verb: "cordon" | "uncordon"): void {
  withNodes(program.command(`${verb} [nodes...]`))
    .addHelpText("after", `\nExamples:\n  orrery ${verb} worker-1`)
    .action(async (args: readonly string[], flags: NodeFlags) => {
      const { scope, nodes, dryRun } = await nodesOf(verb, args, flags);
      for (const node of nodes) await setSchedulable(scope, node, verb === "uncordon", dryRun);
    });
}
