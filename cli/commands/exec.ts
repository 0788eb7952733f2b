// orrery exec: runs a command in a container, optionally with a terminal.
import type { Command } from "commander";
import { containerOf, podsOf } from "../client/pods-of.ts";
import { runRemote, type Terminal } from "../client/remote-command.ts";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

interface Flags extends GlobalFlags {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

const terminalSize = (): Terminal => ({ columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 });

const exec = async (what: string, command: readonly string[], flags: Flags): Promise<void> => {
  if (command.length === 0) throw new CliError("say which command to run", `For example: orrery exec ${what} -- ls /`);
  const scope = await session(flags);
  const pod = (await podsOf(scope, what))[0]!;
  const tty = flags.tty === true && process.stdin.isTTY;
  if (flags.tty && !tty) process.stderr.write("Standard input is not a terminal: going on without one.\n");
  const parameters = new URLSearchParams([
    ["container", containerOf(pod, flags.container)],
    ["stdin", String(flags.stdin === true)],
    ["stdout", "true"],
    ["stderr", String(!tty)],
    ["tty", String(tty)],
    ...command.map((word) => ["command", word] as [string, string]),
  ]);
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/exec?${parameters}`;
  // In raw mode, keys such as Ctrl-C are sent to the remote command.
  if (tty) process.stdin.setRawMode(true);
  const onResize = (listener: (size: Terminal) => void): void => {
    listener(terminalSize());
    process.stdout.on("resize", () => listener(terminalSize()));
  };
  try {
    const streams = { stdin: flags.stdin ? process.stdin : undefined, stdout: process.stdout, stderr: process.stderr };
    process.exitCode = await runRemote(
      scope.api.access,
      { path, ...streams, ...(tty ? { onResize } : {}) },
      new AbortController().signal,
    );
  } finally {
    if (tty) process.stdin.setRawMode(false);
    // An open standard input would keep the process alive.
    process.stdin.destroy();
  }
};

/** Adds `exec` to the program. */
export const register = (program: Command): void => {
  program
    .command("exec <pod> [command...]")
    .summary("run a command in a container")
    .option("-c, --container <name>", "which container")
    .option("-i, --stdin", "pass on what is typed")
    .option("-t, --tty", "with a terminal")
    .addHelpText("after", "\nExamples:\n  orrery exec web-1 -- ls /\n  orrery exec -it deploy/web -- sh")
    .action(exec);
};
