// orrery replay: makes the decisions of the controllers again, over the recorded history of a cluster, and shows where
// they differ from what happened. The deciders are those of this program: of a changed checkout, the changed ones.
import type { Command } from "commander";
import type { HistoryRange } from "../../api/explanation/history.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { instantOf } from "../../api/meta.ts";
import { controllers } from "../../controllers/controllers.ts";
import type { Controller } from "../../machinery/controller.ts";
import { type Difference, replay, type Replayed } from "../../machinery/replay.ts";
import { CliError } from "../cli-error.ts";
import { addresses } from "../cluster/config.ts";
import { localTimings } from "../cluster/timings.ts";
import type { Connection } from "../client/connection.ts";
import { momentOf } from "../client/moments.ts";
import { readRecording, type Span } from "../client/recording.ts";
import { session } from "../client/session.ts";
import { objectPrinter } from "../printers/output.ts";
import { textTable } from "../printers/table.ts";
import { list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly from?: string;
  readonly to?: string;
  readonly controllers?: readonly string[];
  readonly output?: string;
}

/** Those whose decisions follow from the workloads' objects alone, and not from options of a server. */
const replayed: readonly string[] = [
  ...["deployment", "replicaset", "replication", "job", "cronjob", "statefulset", "daemonset"],
  ...["endpointslice", "disruption", "ttl-after-finished", "ephemeral-volume"],
];

/** All pure controllers, as a cluster of this machine has them. */
const declared = (): readonly Controller[] =>
  controllers({
    ...{ clusterCidr: addresses.podRange, rootCa: "", nodeGraceMs: localTimings.nodeGraceMs },
    autoscaler: { periodMs: localTimings.autoscalerPeriodMs, shrinkWindowSeconds: localTimings.shrinkWindowSeconds },
  });

function chosen({ controllers: names }: Flags): readonly Controller[] {
  const all = declared();
  const unknown = names?.find((name) => !all.some((c) => c.name === name));
  if (unknown !== undefined)
    throw new CliError(
      `there is no controller "${unknown}" that can be replayed`,
      `Choose from: ${all.map(({ name }) => name).join(", ")}.`,
    );
  return all.filter(({ name }) => (names ?? replayed).includes(name));
}

async function spanOf(api: Connection, { from = "", to }: Flags): Promise<Span> {
  const now = clock.now();
  const begin = await momentOf(api, from, now);
  if (to !== undefined) return { from: begin, to: await momentOf(api, to, now) };
  const { newest } = await api.get<HistoryRange>("/history/revisions");
  return { from: begin, to: { revision: newest.revision, time: instantOf(newest.time) } };
}

const titles = { NotDone: "decided, not done", NotDecided: "done, not decided" } as const;
const row = ({ revision, controller, key, type, what, because }: Difference): readonly string[] => [
  ...[String(revision), controller, key, titles[type], what, because.join("; ")],
];

function text({ decisions, confirmed, superseded, differences }: Replayed, changes: number): string {
  const header = ["REVISION", "CONTROLLER", "KEY", "DIFFERENCE", "ACTION", "BECAUSE"];
  const table = differences.length > 0 ? [textTable(header, differences.map(row)), ""] : [];
  const summary = `${changes} changes, ${decisions} decisions: ${confirmed} actions happened as decided, ${superseded} were overtaken, ${differences.length} differ.`;
  return [...table, summary, ""].join("\n");
}

async function run(args: readonly string[], flags: Flags): Promise<void> {
  if (args.length > 0) throw new CliError(`replay takes no arguments: ${args.join(" ")}`);
  if (flags.from === undefined) throw new CliError("say from when", "For example: orrery replay --from 10m");
  const printer = flags.output === undefined ? undefined : await objectPrinter(flags, ["json", "yaml"]);
  const selected = chosen(flags);
  const { api } = await session(flags);
  const span = await spanOf(api, flags);
  if (span.to.revision < span.from.revision) throw new CliError("--to is before --from");
  const kinds = [...new Set(selected.flatMap(({ watches }) => watches.map(({ kind }) => kind as ResourceDefinition)))];
  const { recording, missing } = await readRecording(api, kinds, span);
  const complete = selected.filter(({ watches }) => !watches.some(({ kind }) => missing.has(kind)));
  for (const c of selected.filter((one) => !complete.includes(one)))
    process.stderr.write(`Left out, since not all that it observes may be read: ${c.name}\n`);
  const result = replay(recording, complete);
  process.stdout.write(printer?.(result) ?? text(result, recording.changes.length));
  if (result.differences.length > 0) process.exitCode = 1;
}

/** Adds `replay` to the program. */
export const register = (program: Command): void => {
  program
    .command("replay [args...]")
    .usage("[options] --from MOMENT")
    .summary("make the decisions of controllers again, and compare them with what happened")
    .description(
      "Reads the history of the cluster as far as you may list it, gives it to the deciders of the controllers in this program, and compares what they decide with what happened. With a changed decider it shows where it would have decided otherwise. The exit code is 1 when something differs.",
    )
    .option("--from <moment>", "where to begin: how long ago (10m), a time (RFC 3339) or a revision")
    .option("--to <moment>", "where to end; now unless set")
    .option("--controllers <names>", "which controllers; those of workloads unless set", list)
    .option("-o, --output <format>", "json or yaml")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery replay --from 10m\n  orrery replay --from 4711 --controllers replicaset",
    )
    .action(run);
};
