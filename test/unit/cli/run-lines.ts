// Runs commands of the command line in this process, one after the other: reads their arguments as JSON, and prints
// their outcomes as JSON.
import { text } from "node:stream/consumers";
import { CommanderError } from "commander";
import { CliError } from "../../../cli/cli-error.ts";
import { commandTable } from "../../../cli/command-table.ts";
import { errorText } from "../../../cli/program/report.ts";
import { run } from "../../../cli/program/run.ts";
import type { Outcome } from "./lines.ts";

const captured = { out: "", err: "" };
const print = process.stdout.write.bind(process.stdout);
const collect =
  (stream: "out" | "err") =>
  (chunk: string | Uint8Array): boolean => {
    captured[stream] += String(chunk);
    return true;
  };
process.stdout.write = collect("out");
process.stderr.write = collect("err");

async function outcomeOf(args: readonly string[]): Promise<Outcome> {
  captured.out = "";
  captured.err = "";
  process.exitCode = 0;
  try {
    await run(args, commandTable, { KUBECONFIG: "/dev/null" });
  } catch (error) {
    captured.err += errorText(error);
    process.exitCode = error instanceof CliError || error instanceof CommanderError ? error.exitCode : 1;
  }
  return { ...captured, code: Number(process.exitCode) };
}

const outcomes: Outcome[] = [];
for (const args of JSON.parse(await text(process.stdin)) as readonly (readonly string[])[])
  outcomes.push(await outcomeOf(args));
process.exitCode = 0;
print(JSON.stringify(outcomes));
