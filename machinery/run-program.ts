// Runs a program of the system to its end.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The output. Rejects with what the program wrote to standard error. */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args]);
    return stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    throw new Error(stderr?.trim() || message);
  }
}
