// What all commands share: the option for the cluster, the clock and progress, and interruption.
import type { Command } from "commander";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { type Io, progressOn } from "../progress.ts";

/** Adds the option for the cluster. */
export const withCluster = (command: Command): Command =>
  command.option("--name <cluster>", "the cluster, if there are several", "orrery");

export const { clock } = realWorld(() => {});

/** The real clock, and progress on standard error: standard output is for results. */
export const realIo = (): Io => ({ clock, progress: progressOn(process.stderr, clock) });

/** Aborts on the first SIGINT or SIGTERM, so that the command can clean up. The second ends the program. */
export const interruption = (): AbortSignal => {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interrupted.abort(new CliError("interrupted")));
  }
  return interrupted.signal;
};
