// orrery exec: runs a command in a container, optionally with a terminal.
import type { Command } from "commander";
import type { Pod } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { chosenContainer } from "../client/chosen-container.ts";
import { podsOf } from "../client/pods-of.ts";
import { holdSession } from "../client/pod-session.ts";
import { type Session, session } from "../client/session.ts";
import { targetsOf } from "../client/targets.ts";
import { opensTerminal, type SessionFlags } from "../client/terminal.ts";
import { duration, list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

interface Flags extends GlobalFlags, SessionFlags {
  readonly container?: string;
  readonly filename?: readonly string[];
  readonly podRunningTimeout: number;
}

/** The pod argument and the command. Throws CliError in kubectl's words; nothing has been sent. */
function parse(
  args: readonly string[],
  flags: Flags,
): { readonly what: string | undefined; readonly command: readonly string[] } {
  const before = flags.argsBeforeDash;
  const hasFile = (flags.filename?.length ?? 0) > 0;
  if (args.length === 0 && !hasFile) throw new CliError("pod, type/name or --filename must be specified");
  if (before === undefined && args.length > 1)
    throw new CliError(
      "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead",
      "See 'orrery exec -h' for help and examples",
    );
  const command = before === undefined ? [] : args.slice(before);
  if (command.length === 0) throw new CliError("you must specify at least one command for the container");
  if (before === 0 && !hasFile) throw new CliError("pod, type/name or --filename must be specified");
  if (before! > 1 || (hasFile && before! > 0))
    throw new CliError(`one pod is expected before --, not ${args.slice(0, before).join(" ")}`);
  return { what: hasFile ? undefined : args[0], command };
}

async function podFor(scope: Session, what: string | undefined, flags: Flags): Promise<Pod> {
  const files = flags.filename ? { filename: flags.filename } : {};
  const [target] = await targetsOf(scope, what === undefined ? [] : [what], files, { defaultType: "pods" });
  const choice = { purpose: "attach to", prefersRestarted: false, timeoutMs: flags.podRunningTimeout };
  const pod = (await podsOf(scope, target!, choice))[0]!;
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed")
    throw new CliError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  return pod;
}

const exec = async (args: readonly string[], flags: Flags): Promise<void> => {
  const { what, command } = parse(args, flags);
  const scope = await session(flags);
  const pod = await podFor(scope, what, flags);
  const { name: container, notice } = chosenContainer(pod, flags.container);
  if (notice && !flags.quiet) process.stderr.write(`${notice}\n`);
  const tty = opensTerminal(flags);
  const stdin = flags.stdin === true;
  await holdSession(scope, { pod, container, command, stdin, tty }, new AbortController().signal);
};

/** Adds `exec` to the program. */
export const register = (program: Command): void => {
  program
    .command("exec [args...]")
    .usage("[flags] (POD | TYPE/NAME) -- COMMAND [args...]")
    .option("-c, --container <name>", "the container; by default the first, or that of an annotation")
    .option("-f, --filename <path>", "a manifest of the pod or workload", list)
    .option("-i, --stdin", "pass standard input to the command")
    .option("-t, --tty", "with a terminal, if standard input is one")
    .option("-q, --quiet", "print only what the command prints")
    .option("--pod-running-timeout <duration>", "how long to wait for the first pod", duration, 60_000)
    .addHelpText("after", "\nExamples:\n  orrery exec web-1 -- ls /\n  orrery exec -it deploy/web -- sh")
    .action(exec);
};
