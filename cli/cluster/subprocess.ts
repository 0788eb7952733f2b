// Runs other programs: starts a process, feeds its input, collects its output.
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";

/** The output and exit code of a program that failed. */
export class CommandFailed extends Error {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  constructor(command: readonly string[], code: number, stdout: string, stderr: string) {
    super(`${command.slice(0, 3).join(" ")} failed (${code}): ${lastLines(stderr)}`);
    this.name = "CommandFailed";
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

const lastLines = (text: string): string =>
  text.trim().split("\n").slice(-3).join(" ").slice(-600) || "it said nothing";

export interface RunOptions {
  /** A file that becomes the program's standard input. */
  readonly inputFile?: string;
  /** Called with every line of both outputs while the program runs. */
  readonly onLine?: (line: string) => void;
  readonly timeoutMs?: number;
}

/** Runs a program to its end and returns its standard output. Throws CommandFailed when it fails. */
export const run = (command: readonly string[], options: RunOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program!, args, { timeout: options.timeoutMs, stdio: ["pipe", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
        for (const line of text.split("\n")) if (line.trim() !== "") options.onLine?.(line.trim());
      });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const { stdout, stderr } = output;
      const reason = signal === null ? stderr : `${stderr}\nended by ${signal}`;
      if (code === 0) resolve(stdout);
      else reject(new CommandFailed(command, code ?? 1, stdout, reason));
    });
    // A program that exits before it has read its input reports why on standard error; a broken pipe adds nothing.
    child.stdin.on("error", () => {});
    if (options.inputFile !== undefined) createReadStream(options.inputFile).on("error", reject).pipe(child.stdin);
    else child.stdin.end();
  });

/** The lines a program prints, without empty ones. */
export const runLines = async (command: readonly string[]): Promise<readonly string[]> =>
  (await run(command)).split("\n").filter((line) => line !== "");

/** The same for `docker inspect`, which fails when one of several objects is missing, but prints the others. */
export const inspectLines = (command: readonly string[]): Promise<readonly string[]> =>
  runLines(command).catch((error: unknown) => {
    if (error instanceof CommandFailed) return error.stdout.split("\n").filter((line) => line !== "");
    throw error;
  });

/** Runs a program on the user's terminal and returns its exit code. */
export const runAttached = (command: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program!, args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });

/** Runs a program and returns whether it succeeded. */
export const succeeds = (command: readonly string[], options: RunOptions = {}): Promise<boolean> =>
  run(command, options).then(
    () => true,
    () => false,
  );
