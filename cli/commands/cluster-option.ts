// The option every command shares: which of this machine's clusters it speaks to.
import type { Command } from "commander";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { type Io, progressOn } from "../progress.ts";

/** Lets a command be pointed at one of several clusters. */
export const withCluster = (command: Command): Command =>
  command.option("--name <cluster>", "which cluster, when there are several side by side", "orrery");

/** The real clock, and progress on standard error so that standard output stays free for results. */
export const realIo = (): Io => {
  const { clock } = realWorld(() => {});
  return { clock, progress: progressOn(process.stderr, clock) };
};

/**
 * Aborts when the user has had enough, so that what was begun is cleaned up; a second time ends the program at once.
 */
export const interruption = (): AbortSignal => {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interrupted.abort(new CliError("interrupted")));
  }
  return interrupted.signal;
};
