// orrery taint: sets and removes taints of nodes.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { changedTaints, checkTaintOverwrite, isTaint, type Taint, taintChanges } from "../generators/taints.ts";
import { type ModifyFlags, modify, withModification } from "./modify.ts";

interface Flags extends ModifyFlags {
  readonly overwrite?: boolean;
}
type Node = ApiObject & { readonly spec?: { readonly taints?: readonly Taint[] } };

const nodeTypes: readonly string[] = ["node", "nodes", "no"];
const typeOf = (arg: string): string => (arg.includes("/") ? arg.slice(0, arg.indexOf("/")) : arg);

const taint = async (args: readonly string[], flags: Flags): Promise<void> => {
  const texts = args.filter(isTaint);
  const resources = args.filter((arg) => !isTaint(arg));
  const [first] = resources;
  if (first === undefined) throw new CliError("one or more resources must be specified as <resource> <name>");
  if (flags.all && flags.selector)
    throw new CliError("setting 'all' parameter with a non empty selector is prohibited");
  if (texts.length === 0) throw new CliError("at least one taint update is required");
  const changes = taintChanges(texts);
  if (!nodeTypes.includes(typeOf(first).toLowerCase()))
    throw new CliError(`invalid resource type ${typeOf(first)}, only node types are supported`);
  let operation = "tainted";
  const change = (object: ApiObject): ApiObject => {
    const node = object as Node;
    const before = node.spec?.taints ?? [];
    if (!flags.overwrite) checkTaintOverwrite(node.metadata.name, before, changes);
    const after = changedTaints(before, changes);
    operation = flags.overwrite ? "modified" : after.operation;
    const { taints: _, ...spec } = node.spec ?? {};
    return { ...node, spec: { ...spec, ...(after.taints.length > 0 && { taints: after.taints }) } } as ApiObject;
  };
  await modify(resources, flags, { change, operation: () => operation, printsUnchanged: true });
};

/** Adds `taint` to the program. */
export const register = (program: Command): void => {
  withModification(
    program.command("taint [args...]").usage("[options] node NAME (KEY[=VALUE]:EFFECT | KEY-)..."),
    "kubectl-taint",
  )
    .option("--overwrite", "replace taints of the same key and effect")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery taint node worker-1 dedicated=gpu:NoSchedule\n  orrery taint node worker-1 dedicated-",
    )
    .action(taint);
};
