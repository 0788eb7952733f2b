// orrery rebalance: moves pods to free nodes or to where their rules hold, by evictions.
import type { Command } from "commander";
import { planOf } from "../../controllers/descheduler/plan.ts";
import { defaultSettings, type Settings, type Simulation } from "../../controllers/descheduler/ports.ts";
import { noProgress } from "../../controllers/descheduler/run.ts";
import { contradiction, defaultStrategies, strategies } from "../../controllers/descheduler/strategies.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { session } from "../client/session.ts";
import { allStates, serverUrl } from "../cluster/state.ts";
import { objectPrinter } from "../printers/output.ts";
import { planData, planText } from "../printers/rebalance-plan.ts";
import { integer, list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { reschedulingSimulation } from "../simulation.ts";
import { clock } from "./cluster-option.ts";
import { carriedOut, readCluster } from "./rebalance-run.ts";

interface Flags extends GlobalFlags {
  readonly strategy?: readonly string[];
  readonly dryRun?: boolean;
  readonly output?: string;
  readonly spread?: boolean;
  readonly deleteEmptydirData?: boolean;
  readonly freeBelow: number;
  readonly maxEvictions: number;
}
const formats = ["json", "yaml"];

/** The names of strategies as they are in the table, whatever their case. Throws CliError for others. */
function chosenStrategies(names: readonly string[] | undefined): readonly string[] {
  if (names === undefined || names.length === 0) return defaultStrategies;
  const chosen = names.map((text) => {
    const found = strategies.find(({ name }) => name.toLowerCase() === text.toLowerCase());
    if (found) return found.name;
    throw new CliError(
      `there is no strategy "${text}"`,
      `Choose one of: ${strategies.map(({ name }) => name).join(", ")}.`,
    );
  });
  const opposed = contradiction(chosen);
  if (opposed) throw new CliError(`${opposed[0]} and ${opposed[1]} would undo each other's moves`);
  return chosen;
}

function settingsOf({ strategy, deleteEmptydirData, freeBelow, maxEvictions }: Flags): Settings {
  if (freeBelow < 0 || freeBelow > 100) throw new CliError("--free-below must be a percentage, from 0 to 100");
  if (maxEvictions < 1) throw new CliError("--max-evictions must be at least 1");
  return {
    ...defaultSettings,
    strategies: chosenStrategies(strategy),
    evictsLocalStorage: deleteEmptydirData === true,
    freeBelow: freeBelow / 100,
    limits: { perRun: maxEvictions, perNode: maxEvictions, perNamespace: maxEvictions },
  };
}

/** How the cluster's scheduler is configured: known of Orrery's clusters on this machine. */
async function simulationOf({ access }: Connection, { spread }: Flags): Promise<Simulation> {
  const own = (await allStates()).find((state) => serverUrl(state) === access.server);
  return reschedulingSimulation(spread ? { packing: "LeastAllocated" } : (own ?? { packing: "MostAllocated" }));
}

async function rebalance(flags: Flags): Promise<void> {
  const printer = flags.output === undefined ? undefined : await objectPrinter(flags, formats);
  const chosen = settingsOf(flags);
  const { api, namespace, namespaceGiven } = await session(flags);
  const settings = { ...chosen, ...(namespaceGiven && { namespace }) };
  const simulation = await simulationOf(api, flags);
  const cluster = await readCluster(api, simulation);
  const plan = planOf({ cluster, simulation, settings, now: clock.now(), ...noProgress });
  process.stdout.write(printer ? printer(planData(plan)) : planText(plan));
  if (flags.dryRun || plan.moves.length === 0) return;
  // A program that reads the plan reads nothing else.
  const stream = printer ? process.stderr : process.stdout;
  const say = (line: string): void => void stream.write(`${line}\n`);
  const count = await carriedOut(cluster, { api, simulation, settings, say });
  say(`${count} ${count === 1 ? "pod" : "pods"} moved.`);
}

const strategyList = strategies
  .map(({ name, summary, isDefault }) => `  ${name}${isDefault ? " (default)" : ""}\n      ${summary}`)
  .join("\n");

/** Adds `rebalance` to the program. */
export const register = (program: Command): void => {
  program
    .command("rebalance")
    .summary("move pods to free nodes, or to where their rules hold")
    .description(
      "Plans evictions after which the scheduler places pods so that nodes become free, or so that required rules hold again; shows the plan and carries it out, one pod at a time. Disruption budgets are respected.",
    )
    .option("--dry-run", "only show the plan")
    .option("--strategy <names>", "reasons for which pods are moved, as listed below", list)
    .option("--free-below <percent>", "free nodes of whose CPU and memory less is requested", integer, 50)
    .option("--max-evictions <n>", "evict at most so many pods", integer, defaultSettings.limits.perRun)
    .option("--delete-emptydir-data", "move also pods with local storage, whose data is lost")
    .option("--spread", "expect a scheduler that spreads pods; known of clusters on this machine")
    .option("-o, --output <format>", "print the plan: json or yaml")
    .addHelpText(
      "after",
      `\nStrategies, as in Kubernetes' descheduler:\n${strategyList}\n\nExamples:\n  orrery rebalance --dry-run\n  orrery rebalance -n shop --strategy RemovePodsViolatingNodeAffinity`,
    )
    .action(rebalance);
};
