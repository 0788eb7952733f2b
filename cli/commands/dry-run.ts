// The flag `--dry-run` of commands that change objects.
import { Option } from "commander";
import { CliError } from "../cli-error.ts";
import { warn } from "../program/output.ts";

/** Whether a command changes objects, only says what it would do, or lets the server say so. */
export type DryRun = "none" | "client" | "server";

/** `--dry-run[=none|client|server]`. */
export const dryRunOption = (): Option =>
  new Option(
    "--dry-run [strategy]",
    "none, client or server: client sends nothing, server lets the server check without storing",
  )
    .preset("unchanged")
    .default("none");

/** The value of `--dry-run`. Throws CliError in kubectl's words. */
export function dryRunOf(text: string | undefined): DryRun {
  if (text === undefined || text === "none" || text === "false") return "none";
  if (text === "client" || text === "server") return text;
  if (text === "unchanged") {
    warn("--dry-run is deprecated and can be replaced with --dry-run=client.");
    return "client";
  }
  throw new CliError(`Invalid dry-run value (${text}). Must be "none", "server", or "client".`);
}

/** What follows the result of a command. */
export const dryRunSuffix = (dryRun: DryRun): string =>
  dryRun === "none" ? "" : dryRun === "client" ? " (dry run)" : " (server dry run)";
