// The entry point of the command line: arguments, environment, and the exit code.
import { flushCompileCache } from "node:module";
import { realWorld } from "../machinery/real-world.ts";
import { CliError } from "./cli-error.ts";
import { commandTable } from "./command-table.ts";
import { errorText, exitCodeOf } from "./program/report.ts";
import { run } from "./program/run.ts";

// Long-lived commands flush the compile cache after their start, so that they restart quickly after a crash.
const longLived: readonly string[] = ["server", "agent", "csi"];

/** Prints what completes a command line. An answer after more than two seconds would come too late. */
const printCompletion = async (words: readonly string[]): Promise<void> => {
  const { complete } = await import("./completion/complete.ts");
  const { clock } = realWorld(() => {});
  const late = clock.sleep(1800).then(() => ":4\n");
  process.stdout.write(await Promise.race([complete(words, commandTable, process.env), late]));
  process.exit();
};

const main = async (args: readonly string[]): Promise<void> => {
  const ended = new AbortController();
  const isLongLived = longLived.includes(args[0] ?? "");
  if (isLongLived) {
    const { clock } = realWorld(() => {});
    clock.sleep(3000, ended.signal).then(flushCompileCache, () => {});
  }
  try {
    if (args[0] === "__complete") await printCompletion(args.slice(1));
    else await run(args, commandTable, process.env);
  } catch (error) {
    process.stderr.write(errorText(error));
    if (!(error instanceof CliError) && (isLongLived || process.env["ORRERY_DEBUG"] !== undefined))
      console.error(error);
    process.exitCode = exitCodeOf(error);
  }
  ended.abort();
  flushCompileCache();
  // A component whose parts failed must exit, even with open handles, so that its supervisor restarts it.
  if (isLongLived) process.exit();
};

// The launcher takes it away at the start of Node.js; programs that a command starts have it.
const extraAuthorities = process.env["ORRERY_NODE_EXTRA_CA_CERTS"];
if (extraAuthorities !== undefined) process.env["NODE_EXTRA_CA_CERTS"] = extraAuthorities;
// A closed pipe, for example by `head`, is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
// Not awaited: modules that commands import may import this one's chunk of the bundle.
void main(process.argv.slice(2));
