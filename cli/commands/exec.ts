// orrery exec: runs a command in a container, optionally with a terminal.
import type { Command } from "commander";
import type { Pod } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { chosenContainer } from "../client/chosen-container.ts";
import { podsOf } from "../client/pods-of.ts";
import { runRemote, type Terminal } from "../client/remote-command.ts";
import { type Session, session } from "../client/session.ts";
import { targetsOf } from "../client/targets.ts";
import { duration, list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

interface Flags extends GlobalFlags {
  readonly container?: string;
  readonly filename?: readonly string[];
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
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

const terminalSize = (): Terminal => ({ columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 });

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

/** Whether a terminal is opened: only when standard input is one. */
function opensTerminal(flags: Flags): boolean {
  if (!flags.tty || !flags.stdin || process.stdin.isTTY) return flags.tty === true;
  process.stderr.write("Unable to use a TTY - input is not a terminal or the right kind of file\n");
  return false;
}

const exec = async (args: readonly string[], flags: Flags): Promise<void> => {
  const { what, command } = parse(args, flags);
  const scope = await session(flags);
  const pod = await podFor(scope, what, flags);
  const { name: container, notice } = chosenContainer(pod, flags.container);
  if (notice && !flags.quiet) process.stderr.write(`${notice}\n`);
  const tty = opensTerminal(flags);
  const parameters = new URLSearchParams([
    ["container", container],
    ["stdin", String(flags.stdin === true)],
    ["stdout", "true"],
    ["stderr", String(!tty)],
    ["tty", String(tty)],
    ...command.map((word) => ["command", word] as [string, string]),
  ]);
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/exec?${parameters}`;
  // In raw mode, keys such as Ctrl-C are sent to the remote command.
  const isRaw = tty && flags.stdin === true;
  if (isRaw) process.stdin.setRawMode(true);
  const onResize = (listener: (size: Terminal) => void): void => {
    listener(terminalSize());
    process.stdout.on("resize", () => listener(terminalSize()));
  };
  try {
    const streams = { stdin: flags.stdin ? process.stdin : undefined, stdout: process.stdout, stderr: process.stderr };
    const remote = { path, ...streams, ...(tty ? { onResize } : {}) };
    const exitCode = await runRemote(scope.api.access, remote, new AbortController().signal);
    if (exitCode !== 0)
      throw new CliError(`command terminated with exit code ${exitCode}`, undefined, { exitCode, isBare: true });
  } finally {
    if (isRaw) process.stdin.setRawMode(false);
    // An open standard input would keep the process alive.
    if (flags.stdin) process.stdin.destroy();
  }
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
