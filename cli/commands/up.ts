// orrery up: creates and starts a cluster.
import { availableParallelism, totalmem } from "node:os";
import type { Command } from "commander";
import { auditPolicyIn } from "../api-server-config.ts";
import { CliError } from "../cli-error.ts";
import { addContext } from "../client/kubeconfig-edit.ts";
import { kubeconfigFiles, nameOption, orreryKubeconfig } from "../client/kubeconfig-files.ts";
import type { Environment } from "../program/global-flags.ts";
import { defaultSize, parseCount, parseCpus, parseMemory } from "../cluster/size.ts";
import { controlPlaneCounts } from "../cluster/control-planes.ts";
import { maxWorkers, type StoreKind } from "../cluster/state.ts";
import { up } from "../cluster/up.ts";
import { retentionMs } from "../cluster/monitoring.ts";
import type { Io } from "../progress.ts";
import { type TracingFlags, tracingOf } from "../tracing/config.ts";
import { historyOption, parseHistoryLimits } from "../history-limits.ts";
import { readSchedulerConfig } from "../scheduler-config.ts";
import { interruption, realIo, withCluster } from "./cluster-option.ts";

interface Flags extends TracingFlags {
  readonly environment: Environment;
  readonly name: string;
  readonly nodes: string;
  readonly maxNodes?: string;
  readonly controlPlanes: string;
  readonly store: string;
  readonly nodeCpus?: string;
  readonly nodeMemory?: string;
  readonly timeout: string;
  readonly keep?: boolean;
  readonly spread?: boolean;
  readonly schedulerConfig?: string;
  readonly auditPolicy?: string;
  readonly history?: string;
  readonly rebalance?: boolean;
  readonly metricsRetention: string;
}

const storeKind = (text: string): StoreKind => {
  if (text === "etcd" || text === "sqlite") return text;
  throw new CliError(`there is no store "${text}"`, "Choose --store etcd or --store sqlite.");
};

const controlPlaneCount = (text: string, store: StoreKind): number => {
  const count = Number(text);
  if (!controlPlaneCounts.includes(count))
    throw new CliError(`"${text}" is no number of control planes`, `Choose one of ${controlPlaneCounts.join(", ")}.`);
  if (count === 1 || store === "etcd") return count;
  throw new CliError(
    `several control planes cannot share the store "${store}", which belongs to one process`,
    "Choose --store etcd, or --control-planes 1.",
  );
};

const nextSteps = (name: string): string =>
  [
    "",
    `Cluster "${name}" is up.`,
    "  orrery get nodes",
    "  kubectl get nodes",
    `  orrery down${nameOption(name)}`,
  ].join("\n");

const defaults = { nodes: "3", controlPlanes: "1", store: "etcd", timeout: "120", metricsRetention: "24h" } as const;

/** Makes the cluster's context the current one. A kubeconfig that cannot be changed does not make `up` fail. */
async function useCluster({ name, environment }: Pick<Flags, "name" | "environment">, io: Io): Promise<void> {
  const [file] = kubeconfigFiles({ environment });
  const own = await orreryKubeconfig(name);
  await addContext(file!, own).then(
    () => io.progress.say(`Context "${own["current-context"]}" of ${file} is now the current one.`),
    (error: Error) => io.progress.say(`${file} was not changed: ${error.message}`),
  );
}

/** The configuration of the scheduler, if a file is named. */
function configured({ schedulerConfig, spread }: Pick<Flags, "schedulerConfig" | "spread">) {
  if (schedulerConfig === undefined) return undefined;
  if (spread === true)
    throw new CliError(
      "--spread and --scheduler-config exclude each other",
      "Choose LeastAllocated as the scoringStrategy in the file.",
    );
  return readSchedulerConfig(schedulerConfig);
}

const start = async (flags: Flags, io: Io, signal: AbortSignal): Promise<void> => {
  const nodes = parseCount(flags.nodes, "nodes", 1, maxWorkers);
  const cpus = availableParallelism();
  const maxNodes =
    flags.maxNodes === undefined ? undefined : parseCount(flags.maxNodes, "nodes at most", 1, maxWorkers);
  const store = storeKind(flags.store);
  const size = defaultSize({ cpus, memoryBytes: totalmem() }, maxNodes ?? nodes);
  const options = {
    name: flags.name,
    nodes,
    maxNodes,
    store,
    controlPlanes: controlPlaneCount(flags.controlPlanes, store),
    packing: flags.spread === true ? "LeastAllocated" : "MostAllocated",
    schedulerConfig: configured(flags),
    auditPolicy: flags.auditPolicy === undefined ? undefined : auditPolicyIn(flags.auditPolicy),
    tracing: tracingOf(flags),
    history: flags.history === undefined ? undefined : parseHistoryLimits(flags.history),
    rebalances: flags.rebalance === true,
    metricsRetentionMs: retentionMs(flags.metricsRetention),
    cpus: parseCpus(flags.nodeCpus ?? size.cpus, cpus),
    memoryBytes: parseMemory(flags.nodeMemory ?? size.memory),
    timeoutMs: parseCount(flags.timeout, "seconds", 1, 3600) * 1000,
    keep: flags.keep === true,
  } as const;
  await up(options, io, signal);
  await useCluster(flags, io);
};

/** Starts a cluster with the default options of `up`, for commands that need one. */
export const startDefault = (
  { name, environment, maxNodes }: Pick<Flags, "name" | "environment" | "maxNodes">,
  io: Io,
  signal: AbortSignal,
): Promise<void> => start({ name, environment, maxNodes, ...defaults }, io, signal);

/** Adds `up` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("up"))
    .summary("start a cluster, or the stopped parts of one")
    .description("Starts a control plane and some nodes as containers, and waits until every node is Ready.")
    .option("--nodes <n>", "how many workers", defaults.nodes)
    .option(
      "--max-nodes <n>",
      "add workers up to this number while pods find no room, and remove them when they are idle",
    )
    .option(
      "--control-planes <n>",
      "how many control planes: with 3, the cluster survives the loss of one, with 5 of two",
      defaults.controlPlanes,
    )
    .option("--store <kind>", "where the cluster keeps its objects: etcd or sqlite", defaults.store)
    .option("--node-cpus <n>", "processors each node may use and offers to pods, such as 2 or 500m")
    .option("--node-memory <amount>", "memory each node may use and offers to pods, such as 2Gi")
    .option("--spread", "place pods on the emptiest node that fits, instead of filling one node after the other")
    .option("--scheduler-config <file>", "the scheduler's profiles and extenders, as for kube-scheduler --config")
    .option("--audit-policy <file>", "record events of requests in every control plane's /var/log/audit/audit.log")
    .option("--trace", "keep traces of changes in the API server, for orrery trace")
    .option("--tracing-endpoint <url>", "send traces to an OpenTelemetry collector, by OTLP over HTTP")
    .option("--tracing-config-file <file>", "a TracingConfiguration: the collector, and how many traces are sampled")
    .option(...historyOption)
    .option("--rebalance", "move pods every minute to free nodes, or to where their rules hold")
    .option(
      "--metrics-retention <duration>",
      "how long metrics of nodes, services and pods are kept; 0 keeps none",
      defaults.metricsRetention,
    )
    .option("--timeout <seconds>", "how long to wait until everything is Ready", defaults.timeout)
    .option("--keep", "keep a cluster that does not come up, to find out why")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery up\n  orrery up --name second --nodes 1 --store sqlite\n  orrery up --node-cpus 1 --node-memory 1Gi\n  orrery up --nodes 1 --max-nodes 4\n  orrery up --control-planes 3",
    )
    .action(async (flags: Flags) => {
      const io = realIo();
      await start(flags, io, interruption());
      io.progress.say(nextSteps(flags.name));
    });
};
