// The user's terminal as that of a remote command: whether there is one, raw mode, and its size.
import { spawnSync } from "node:child_process";
import type { TerminalSize } from "./remote-command.ts";

/** The flags of commands that hold sessions with containers. */
export interface SessionFlags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
}

/** Whether the session has a terminal: with -i and -t, and only when standard input is one. */
export function opensTerminal({ stdin, tty, quiet }: SessionFlags): boolean {
  if (!stdin || !tty) return false;
  if (process.stdin.isTTY) return true;
  if (!quiet) process.stderr.write("Unable to use a TTY - input is not a terminal or the right kind of file\n");
  return false;
}

const terminalSize = (): TerminalSize => ({ columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 });

/** Calls the listener with the size of the terminal, at once and whenever it changes. */
export function onResize(listener: (size: TerminalSize) => void): void {
  listener(terminalSize());
  process.stdout.on("resize", () => listener(terminalSize()));
}

/** Like `onResize`, but begins with another size, so that programs draw their screen again. */
export function onResizeWithRedraw(listener: (size: TerminalSize) => void): void {
  const { columns, rows } = terminalSize();
  listener({ columns: columns + 1, rows: rows + 1 });
  onResize(listener);
}

/**
 * Works with the terminal in raw mode, in which keys such as Ctrl-C are sent to the remote command. The raw mode of
 * Node.js goes on translating line feeds, which the remote terminal has done already.
 */
export async function inRawMode<T>(work: () => Promise<T>): Promise<T> {
  process.stdin.setRawMode(true);
  spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
  try {
    return await work();
  } finally {
    process.stdin.setRawMode(false);
  }
}
