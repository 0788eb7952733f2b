// Runs other programs. The one place that knows how to start a process, feed it and read what it says.
import { spawn, type StdioOptions } from "node:child_process";
import { createReadStream } from "node:fs";

/** What a program said when it failed, so that callers can tell a race from a breakdown. */
export class CommandFailed extends Error {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  constructor(command: readonly string[], code: number, stdout: string, stderr: string) {
    super(`${command.slice(0, 3).join(" ")} failed (${code}): ${lastWords(stderr)}`);
    this.name = "CommandFailed";
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

const lastWords = (text: string): string =>
  text.trim().split("\n").slice(-3).join(" ").slice(-600) || "it said nothing";

/** How a program is fed and heard. */
export interface RunOptions {
  /** Fed to the program's standard input. */
  readonly inputFile?: string;
  readonly input?: string;
  /** Heard while the program runs, line by line, from both of its outputs. */
  readonly onLine?: (line: string) => void;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program to its end and returns its standard output; throws CommandFailed with its standard error otherwise.
 */
export const run = (command: readonly string[], options: RunOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program!, args, {
      cwd: options.cwd,
      signal: options.signal,
      timeout: options.timeoutMs,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    const hear = (text: string): void => {
      for (const line of text.split("\n")) if (line.trim() !== "") options.onLine?.(line.trim());
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      hear(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
      hear(text);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new CommandFailed(command, code ?? 1, out, signal === null ? err : `${err}\nended by ${signal}`));
    });
    // A program that stops reading early says why on its standard error; the broken pipe adds nothing.
    child.stdin.on("error", () => {});
    if (options.inputFile !== undefined) createReadStream(options.inputFile).on("error", reject).pipe(child.stdin);
    else child.stdin.end(options.input ?? "");
  });

/** Runs a program on the user's own terminal and returns its exit code. */
export const runAttached = (command: readonly string[], stdio: StdioOptions = "inherit"): Promise<number> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program!, args, { stdio });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });

/** Runs a program and says only whether it succeeded. */
export const succeeds = (command: readonly string[], options: RunOptions = {}): Promise<boolean> =>
  run(command, options).then(
    () => true,
    () => false,
  );
