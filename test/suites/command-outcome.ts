// What a command of the command line prints when it runs in this process, and its exit code.
import { commandTable } from "../../cli/command-table.ts";
import { errorText, exitCodeOf } from "../../cli/program/report.ts";
import { run } from "../../cli/program/run.ts";

export interface CommandOutcome {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

export async function commandOutcome(args: readonly string[], kubeconfig: string): Promise<CommandOutcome> {
  const printed = { stdout: "", stderr: "" };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const stream of ["stdout", "stderr"] as const)
    process[stream].write = ((text: string | Uint8Array) => {
      printed[stream] += String(text);
      return true;
    }) as typeof process.stdout.write;
  try {
    await run(args, commandTable, { KUBECONFIG: kubeconfig });
    return { out: printed.stdout, err: printed.stderr, code: Number(process.exitCode ?? 0) };
  } catch (error) {
    return { out: printed.stdout, err: printed.stderr + errorText(error), code: exitCodeOf(error) };
  } finally {
    Object.assign(process.stdout, { write: originals.stdout });
    Object.assign(process.stderr, { write: originals.stderr });
    process.exitCode = undefined;
  }
}
