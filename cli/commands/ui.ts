// orrery ui: an interactive view of a cluster in the terminal.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import type { ObjectRef } from "../ui/state.ts";
import { clock } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly readonly?: boolean;
}

/** Opens an object in an editor, as `orrery edit` does. */
async function edit({ resource, namespace, name }: ObjectRef, context: string, flags: Flags): Promise<void> {
  const { editObjects } = await import("./edit.ts");
  const type = resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
  const where = { ...(context === "" ? {} : { context }), ...(namespace === undefined ? {} : { namespace }) };
  await editObjects([`${type}/${name}`], { ...flags, ...where, fieldManager: "kubectl-edit" });
}

async function start([type, ...more]: readonly string[], flags: Flags): Promise<void> {
  if (more.length > 0) throw new CliError(`one TYPE is expected, not ${[type, ...more].join(" ")}`);
  const { stdin, stdout, stderr } = process;
  if (!stdin.isTTY || !stdout.isTTY)
    throw new CliError("orrery ui needs a terminal for its input and output; in scripts, use orrery get");
  const [{ default: colors }, { ui }] = await Promise.all([import("picocolors"), import("../ui/ui.ts")]);
  await ui({
    flags,
    clock,
    terminal: { stdin, stdout, stderr },
    type,
    allNamespaces: flags.allNamespaces === true,
    labelSelector: flags.selector,
    isReadOnly: flags.readonly === true,
    hasColors: colors.isColorSupported,
    edit: (of, context) => edit(of, context, flags),
  });
}

const keys = `
Keys:
  arrows, j, k, enter   move; open: the pods of a deployment or node, the containers of a pod, their logs
  d, y, l, p, s, e, t   describe, YAML, logs, previous logs, shell, edit, tree of owners
  ctrl-d, ctrl-k        delete after a question; kill a pod
  :pods, :deploy, :ns   go to a type of objects; :ctx changes the context, :q quits
  /text, /!text, /-l    filter; 0 shows all namespaces, N, A and S sort by name, age and status
  ?, esc or q, ctrl-c   all keys; back; quit

Examples:
  orrery ui
  orrery ui deploy -n kube-system
  orrery ui pods -A -l app=web --readonly`;

/** Adds `ui` to the program. */
export const register = (program: Command): void => {
  program
    .command("ui [type...]")
    .usage("[TYPE] [flags]")
    .description("Browse a cluster in the terminal: lists that follow every change, descriptions, logs and shells.")
    .option("-A, --all-namespaces", "objects of all namespaces")
    .option("-l, --selector <labels>", "objects with these labels")
    .option("--readonly", "without keys that change objects or run commands in containers")
    .addHelpText("after", keys)
    .action(start);
};
