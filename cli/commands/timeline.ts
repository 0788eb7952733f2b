// orrery timeline: shows what an object and all it owns went through, with who changed which fields, and events.
import type { Command } from "commander";
import type { History, HistoryItem } from "../../api/explanation/history.ts";
import { CliError } from "../cli-error.ts";
import { momentOf } from "../client/moments.ts";
import { query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { type Target, targetPath, targetsOf } from "../client/targets.ts";
import { objectPrinter } from "../printers/output.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import { timelineHeader, timelineRow } from "../printers/timeline.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock, interruption } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly output?: string;
  readonly watch?: boolean;
  readonly since?: string;
  readonly related?: boolean;
  readonly events?: boolean;
  readonly headers?: boolean;
}
const formats = ["json", "wide", "yaml"];
/** How often new changes are read with --watch. */
const pollMs = 1_000;

/** Reads the changes after a revision. */
type Read = (from: number | undefined) => Promise<History>;

function reader({ api }: Session, target: Target, flags: Flags): Read {
  // Who asks for the objects themselves, and not for a table, gets the values of secrets.
  const isFull = flags.output === "json" || flags.output === "yaml";
  const related = flags.related === false ? undefined : true;
  return async (from) => {
    const parameters = { related, from, secrets: isFull || undefined };
    const history = await api.get<History>(`/history${targetPath(target)}${query(parameters)}`);
    return flags.events === false ? { ...history, items: history.items.filter(({ event }) => !event) } : history;
  };
}

/** Prints the first changes, then those that follow until it is interrupted. */
async function follow(read: Read, from: number | undefined, print: (history: History) => void): Promise<void> {
  const signal = interruption();
  let next = from;
  while (!signal.aborted) {
    const history = await read(next);
    print(history);
    next = history.items.at(-1)?.revision ?? next;
    await clock.sleep(pollMs, signal).catch(() => {});
  }
}

async function timeline(args: readonly string[], flags: Flags): Promise<void> {
  if (args.length === 0) throw new CliError("say of which object", "For example: orrery timeline deploy/web");
  const options = { isWide: flags.output === "wide" };
  const printer = flags.output === undefined || options.isWide ? undefined : await objectPrinter(flags, formats);
  const scope = await session(flags);
  const [target, ...others] = await targetsOf(scope, args, {});
  if (!target || others.length > 0)
    throw new CliError("a timeline is of one object", "For example: orrery timeline deploy/web");
  const since = flags.since === undefined ? undefined : await momentOf(scope.api, flags.since, clock.now());
  const read = reader(scope, target, flags);
  const write = rememberingWriter(tableStyle);
  let header = flags.headers === false ? [] : [timelineHeader(options)];
  const printRows = (items: readonly HistoryItem[]): void => {
    if (items.length === 0) return;
    process.stdout.write(write([...header, ...items.map((item) => timelineRow(item, options))]));
    header = [];
  };
  const print = (history: History): void => {
    if (!printer) printRows(history.items);
    else if (!flags.watch || history.items.length > 0) process.stdout.write(printer(history));
  };
  if (flags.watch) return follow(read, since?.revision, print);
  const history = await read(since?.revision);
  print(history);
  if (history.items.length === 0 && !printer)
    process.stderr.write(`Nothing of ${target.resource.plural}/${target.name} is in history.\n`);
}

/** Adds `timeline` to the program. */
export const register = (program: Command): void => {
  program
    .command("timeline [args...]")
    .usage("[options] (TYPE NAME | TYPE/NAME)")
    .summary("show what an object and all it owns went through")
    .description(
      "Shows the changes of an object and of all that it owns, or owned, with who changed which fields, and the events about them. Only what may be read now is shown; values of secrets are shown by their length, except with -o json or yaml.",
    )
    .option("-o, --output <format>", "json, yaml, or wide: with revisions and all fields")
    .option("-w, --watch", "go on with new changes")
    .option("--since <moment>", "only changes after: how long ago (10m), a time (RFC 3339) or a revision")
    .option("--no-related", "only the object itself")
    .option("--no-events", "without events")
    .option("--no-headers", "without the line of column names")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery timeline deploy/web\n  orrery timeline pod web-1 --since 10m -o wide\n  orrery timeline deploy/web --watch",
    )
    .action(timeline);
};
