// orrery cluster: lists Orrery's clusters and servers on this machine.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { orreryClusters, orreryKubeconfig } from "../client/kubeconfig-files.ts";
import { nodeContainers } from "../cluster/containers.ts";
import { readState } from "../cluster/state.ts";
import { textTable } from "../printers/table.ts";
import { printLine } from "../program/output.ts";

/** One line of the list. */
interface ClusterRow {
  readonly name: string;
  readonly server: string;
  readonly nodes: number;
  readonly store: string;
  readonly status: string;
}

/** The state of the containers of a cluster. */
async function statusOf(name: string): Promise<string> {
  const containers = await nodeContainers(name).catch(() => undefined);
  if (containers === undefined) return "unknown: the engine does not answer";
  const running = containers.filter((container) => container.running).length;
  if (running === 0) return "stopped";
  return running === containers.length ? "running" : `${running} of ${containers.length} containers running`;
}

async function rowOf(name: string): Promise<ClusterRow> {
  const state = await readState(name);
  const { clusters } = await orreryKubeconfig(name);
  const server = clusters[0]?.cluster.server ?? "";
  if (state === undefined) return { name, server, nodes: 0, store: "-", status: "a server alone" };
  return { name, server, nodes: state.workers.length, store: state.store, status: await statusOf(name) };
}

const list = async (flags: { readonly output?: string }): Promise<void> => {
  if (flags.output !== undefined && flags.output !== "json" && flags.output !== "name")
    throw new CliError(`clusters cannot be printed as "${flags.output}"`, "Choose -o json or -o name.");
  const names = await orreryClusters();
  if (flags.output === "name") return names.forEach(printLine);
  const rows = await Promise.all(names.map(rowOf));
  if (flags.output === "json") return printLine(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return void process.stderr.write("There are no clusters. Create one with: orrery up\n");
  const cells = rows.map(({ name, server, nodes, store, status }) => [name, server, String(nodes), store, status]);
  printLine(textTable(["NAME", "SERVER", "NODES", "STORE", "STATUS"], cells));
};

/** Adds `cluster` to the program. */
export const register = (program: Command): void => {
  const cluster = program.command("cluster");
  cluster
    .command("list")
    .alias("ls")
    .summary("list the clusters and servers of this user")
    .option("-o, --output <format>", "json or name")
    .action(list);
};
