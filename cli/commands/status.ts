// orrery status: shows the health of the components of a cluster.
import type { Command } from "commander";
import pc from "picocolors";
import { stringify } from "yaml";
import { CliError } from "../cli-error.ts";
import { requireState } from "../cluster/state.ts";
import { clusterStatus, type StatusRow } from "../cluster/status.ts";
import { textTable } from "../printers/table.ts";
import { clock, withCluster } from "./cluster-option.ts";

const colours: Readonly<Record<StatusRow["health"], (text: string) => string>> = {
  healthy: pc.green,
  unhealthy: pc.red,
  "not running": pc.red,
  stopped: pc.yellow,
};

const uptime = (seconds: number | undefined): string => {
  if (seconds === undefined) return "-";
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
};

const megabytes = (bytes: number | undefined): string => (bytes === undefined ? "-" : `${Math.round(bytes / 1e6)} MB`);

const table = (rows: readonly StatusRow[]): string => {
  const header = ["NODE", "COMPONENT", "RESTARTS", "UPTIME", "MEMORY", "HEALTH"];
  const cells = rows.map(({ node, component, restarts, uptimeSeconds, residentBytes, health }) => [
    ...[node, component, String(restarts), uptime(uptimeSeconds), megabytes(residentBytes)],
    colours[health](health),
  ]);
  return textTable(header, cells);
};

const print = (rows: readonly StatusRow[], format: string | undefined): string => {
  if (format === undefined) return `${table(rows)}\n`;
  if (format === "json") return `${JSON.stringify(rows, null, 2)}\n`;
  if (format === "yaml") return stringify(rows);
  throw new CliError(`status cannot be printed as "${format}"`, "Choose -o json or -o yaml.");
};

/** Adds `status` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("status"))
    .summary("show how every component of the cluster is")
    .description("Shows the components of every node. Exits with 1 when one of them is not healthy.")
    .option("-o, --output <format>", "json or yaml")
    .addHelpText("after", "\nExamples:\n  orrery status\n  orrery status -o json")
    .action(async (flags: { readonly name: string; readonly output?: string }) => {
      const state = await requireState(flags.name);
      const rows = await clusterStatus(state.name, clock.now);
      process.stdout.write(print(rows, flags.output));
      if (rows.some((row) => row.health !== "healthy")) process.exitCode = 1;
    });
};
