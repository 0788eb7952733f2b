// orrery version: prints the version of the command line and of the server.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { version as clientVersion } from "../../apiserver/discovery/version.ts";
import { session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

interface Flags extends GlobalFlags {
  readonly client?: boolean;
  readonly output?: string;
}

interface ServerVersion {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
}

/** A warning when the minor versions differ by more than one. */
function skewWarning(server: ServerVersion): string | undefined {
  const difference = Math.abs(Number(clientVersion.minor) - Number.parseInt(server.minor, 10));
  if (server.major === clientVersion.major && difference <= 1) return undefined;
  return `WARNING: version difference between client (${clientVersion.major}.${clientVersion.minor}) and server (${server.major}.${server.minor}) exceeds the supported minor version skew of +/-1`;
}

const version = async (flags: Flags): Promise<void> => {
  const { output } = flags;
  if (output !== undefined && output !== "json" && output !== "yaml")
    throw new CliError("--output must be 'yaml' or 'json'");
  const server = flags.client ? undefined : await (await session(flags)).api.get<ServerVersion>("/version");
  const value = { clientVersion, ...(server ? { serverVersion: server } : {}) };
  if (output === "json") return printLine(JSON.stringify(value, null, 2));
  if (output === "yaml") return void process.stdout.write((await import("../printers/yaml.ts")).yamlText(value));
  printLine(`Client Version: ${clientVersion.gitVersion}`);
  if (!server) return;
  printLine(`Server Version: ${server.gitVersion}`);
  const warning = skewWarning(server);
  if (warning) process.stderr.write(`${warning}\n`);
};

/** Adds `version` to the program. */
export const register = (program: Command): void => {
  program
    .command("version")
    .option("--client", "print only the version of the command line")
    .option("-o, --output <format>", "json or yaml")
    .action(version);
};
