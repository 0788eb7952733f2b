// orrery node: adds, stops, starts, kills and removes nodes.
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { addNodes, killNodes, removeNodes, startNodes, stopNodes } from "../cluster/nodes.ts";
import { controlPlanesOf, endpointOf } from "../cluster/control-planes.ts";
import { nodeContainers } from "../cluster/containers.ts";
import { CliError } from "../cli-error.ts";
import { textTable } from "../printers/table.ts";
import { printLine } from "../program/output.ts";
import { parseCount, parseCpus, parseMemory } from "../cluster/size.ts";
import { maxWorkers, requireState } from "../cluster/state.ts";
import type { Io } from "../progress.ts";
import { interruption, realIo, withCluster } from "./cluster-option.ts";

interface AddFlags {
  readonly name: string;
  readonly nodes: string;
  readonly nodeCpus?: string;
  readonly nodeMemory?: string;
}

const add = async (flags: AddFlags): Promise<void> => {
  const workers = {
    count: parseCount(flags.nodes, "nodes", 1, maxWorkers),
    cpus: flags.nodeCpus === undefined ? undefined : parseCpus(flags.nodeCpus, availableParallelism()),
    memoryBytes: flags.nodeMemory === undefined ? undefined : parseMemory(flags.nodeMemory),
  };
  await addNodes(flags.name, workers, realIo(), interruption());
};

const list = async (flags: { readonly name: string; readonly output?: string }): Promise<void> => {
  if (flags.output !== undefined && flags.output !== "name")
    throw new CliError(`nodes cannot be printed as "${flags.output}"`, "Choose -o name.");
  const state = await requireState(flags.name);
  const containers = await nodeContainers(flags.name);
  if (flags.output === "name") return printLine(containers.map(({ name }) => name).join("\n"));
  const places = [...controlPlanesOf(state), endpointOf(state)];
  const rows = containers.map(({ name, role, running, status }) => {
    const worker = state.workers.find((w) => w.name === name);
    const memory = worker ? `${Math.round(worker.memoryBytes / 2 ** 20)}Mi` : "-";
    const address = [...places, ...state.workers].find((place) => place.name === name)?.ip ?? "-";
    return [name, role, running ? "running" : status, address, worker ? String(worker.cpus) : "-", memory];
  });
  printLine(textTable(["NAME", "ROLE", "STATUS", "ADDRESS", "CPUS", "MEMORY"], rows));
};

type Verb = (cluster: string, nodes: readonly string[], io: Io, signal: AbortSignal) => Promise<void>;

const verbs: readonly (readonly [name: string, summary: string, run: Verb])[] = [
  ["stop", "stop nodes gracefully", stopNodes],
  ["start", "start stopped nodes and wait until they are Ready", startNodes],
  ["kill", "stop nodes at once, as a power failure would", killNodes],
  ["rm", "remove nodes for good", removeNodes],
];

/** Adds `node` and its verbs to the program. */
export const register = (program: Command): void => {
  const node = program
    .command("node")
    .summary("add, stop, start, kill or remove single nodes")
    .addHelpText(
      "after",
      "\nA node is named in full, or by what follows the cluster's name: orrery-node-2, node-2 or 2.\n\nExamples:\n  orrery node add\n  orrery node kill 2\n  orrery node start node-2",
    );
  withCluster(node.command("list"))
    .alias("ls")
    .summary("list the nodes, also stopped ones")
    .option("-o, --output <format>", "name")
    .action(list);
  withCluster(node.command("add"))
    .summary("add workers")
    .option("--nodes <n>", "how many workers to add", "1")
    .option("--node-cpus <n>", "processors, such as 2 or 500m; as the first worker has when left out")
    .option("--node-memory <amount>", "memory, such as 2Gi; as the first worker has when left out")
    .action(add);
  for (const [name, summary, run] of verbs) {
    withCluster(node.command(`${name} <nodes...>`))
      .summary(summary)
      .action(async (nodes: readonly string[], flags: { readonly name: string }) => {
        await requireState(flags.name);
        await run(flags.name, nodes, realIo(), interruption());
      });
  }
};
