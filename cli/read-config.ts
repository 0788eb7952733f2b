// Reads a configuration file that the command line names.
import { existsSync, readFileSync } from "node:fs";
import { CliError } from "./cli-error.ts";

/** Reads a file; what is wrong with it becomes a CliError. `what` names it: `the audit policy`. */
export function readFrom<T>(path: string, what: string, read: (text: string) => T): T {
  if (!existsSync(path)) throw new CliError(`${what} ${path} does not exist`);
  try {
    return read(readFileSync(path, "utf8"));
  } catch (error) {
    throw new CliError(`${what} ${path} cannot be used: ${(error as Error).message}`);
  }
}
