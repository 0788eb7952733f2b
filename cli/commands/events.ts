// orrery events: lists events, of all objects or of one, and watches new ones.
import type { Command } from "commander";
import type { CoreV1Event } from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { jsonLines } from "../client/connection.ts";
import { readObjects } from "../client/lists.ts";
import { apiVersionOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { intervalText } from "../describe/events.ts";
import { paintFor } from "../printers/color.ts";
import { formatList, type ObjectPrinter, type OutputFlags, objectPrinter } from "../printers/output.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import { visible } from "../printers/table.ts";
import { integer, list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock, interruption } from "./cluster-option.ts";

interface Flags extends GlobalFlags, OutputFlags {
  readonly allNamespaces?: boolean;
  readonly for?: string;
  readonly types?: readonly string[];
  readonly watch?: boolean;
  readonly chunkSize: number;
  readonly headers: boolean;
}
interface EventList {
  readonly items: readonly CoreV1Event[];
  readonly metadata: { readonly resourceVersion: string };
}

/** When an event last occurred. */
const lastTime = (e: CoreV1Event): Instant =>
  instantOf(e.series?.lastObservedTime ?? e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp);

const isOfTypes = ({ types = [] }: Flags, { type = "" }: CoreV1Event): boolean =>
  types.length === 0 || types.some((accepted) => accepted.toLowerCase() === type.toLowerCase());

/** The object of `--for`, as its type and name. */
function subjectOf({ for: text }: Flags): readonly [type: string, name: string] | undefined {
  if (text === undefined || text === "") return undefined;
  const [type = "", name = "", ...more] = text.split("/");
  if (type === "" || name === "") throw new CliError("--for must be in resource/name form");
  if (more.length > 0) throw new CliError("arguments in resource/name form may not have more than one slash");
  return [type, name];
}

/** Prints events as they come, in columns. */
function tablePrinter(flags: Flags): (events: readonly CoreV1Event[]) => void {
  const header = [
    ...(flags.allNamespaces ? ["NAMESPACE"] : []),
    ...["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"],
  ];
  const write = rememberingWriter(tableStyle, paintFor(header, process.stdout.isTTY === true));
  let isFirst = true;
  return (events) => {
    const now = clock.now();
    const rows = events.map((e) => [
      ...(flags.allNamespaces ? [e.metadata.namespace ?? ""] : []),
      intervalText(e, now),
      e.type ?? "",
      e.reason ?? "",
      `${e.involvedObject.kind}/${e.involvedObject.name}`,
      visible((e.message ?? "").trim()),
    ]);
    const head = isFirst && flags.headers ? [header] : [];
    isFirst = false;
    process.stdout.write(write([...head, ...rows]));
  };
}

async function printEvents(scope: Session, flags: Flags, print: ObjectPrinter | undefined): Promise<void> {
  const { api, mapper } = scope;
  const subject = subjectOf(flags);
  const events = await mapper.named("events");
  const resource = subject && (await mapper.named(subject[0]));
  const fieldSelector = resource
    ? `involvedObject.kind=${resource.kind},involvedObject.apiVersion=${apiVersionOf(resource)},involvedObject.name=${subject![1]}`
    : undefined;
  const namespace = flags.allNamespaces ? undefined : scope.namespace;
  const target = {
    resource: events,
    namespace,
    name: undefined,
    selection: { labelSelector: undefined, fieldSelector },
  };
  const path = `/api/v1${namespace === undefined ? "" : `/namespaces/${namespace}`}/events`;
  if (!flags.watch) {
    const all = (await readObjects(api, target, flags)) as readonly CoreV1Event[];
    const found = all.filter((e) => isOfTypes(flags, e)).toSorted((a, b) => lastTime(a) - lastTime(b));
    if (found.length === 0)
      process.stderr.write(`No events found${namespace === undefined ? "" : ` in ${namespace} namespace`}.\n`);
    else if (print) process.stdout.write(print({ apiVersion: "v1", kind: "EventList", metadata: {}, items: found }));
    else tablePrinter(flags)(found);
    return;
  }
  const first = await api.get<EventList>(path + query({ fieldSelector }));
  const show = print
    ? (all: readonly CoreV1Event[]): void => all.forEach((e) => void process.stdout.write(print(e)))
    : tablePrinter(flags);
  show(first.items.filter((e) => isOfTypes(flags, e)).toSorted((a, b) => lastTime(a) - lastTime(b)));
  const from = { fieldSelector, watch: true, resourceVersion: first.metadata.resourceVersion };
  for await (const { type, object } of jsonLines<{ readonly type: string; readonly object: CoreV1Event }>(
    api.stream({ path: path + query(from) }, interruption()),
  ))
    if ((type === "ADDED" || type === "MODIFIED") && isOfTypes(flags, object)) show([object]);
}

function check(args: readonly string[], flags: Flags): void {
  if (args.length > 0)
    throw new CliError(`events takes no arguments: ${args.join(" ")}`, "For example: orrery events --for pod/web-1");
  if (flags.types?.some((type) => !/^(normal|warning)$/i.test(type)))
    throw new CliError("valid --types are Normal or Warning");
  subjectOf(flags);
}

/** Adds `events` to the program. */
export const register = (program: Command): void => {
  program
    .command("events [args...]")
    .usage("[options]")
    .option("-A, --all-namespaces", "events of all namespaces")
    .option("--for <object>", "events of one object, such as pod/web-1")
    .option("--types <types>", "Normal or Warning", list)
    .option("-w, --watch", "list, then print new events")
    .option("--no-headers", "without the line of column names")
    .option("-o, --output <format>", `print the events: ${formatList()}`)
    .option("--template <text>", "the template of the output format")
    .option("--allow-missing-template-keys", "print nothing for fields that an object lacks", true)
    .option("--show-managed-fields", "keep metadata.managedFields in the output")
    .option("--chunk-size <number>", "how many objects to read in one request; 0 reads all at once", integer, 500)
    .addHelpText("after", "\nExamples:\n  orrery events -A --types=Warning\n  orrery events --for deploy/web --watch")
    .action(async (args: readonly string[], flags: Flags) => {
      check(args, flags);
      const print = flags.output || flags.template ? await objectPrinter(flags) : undefined;
      await printEvents(await session(flags), flags, print);
    });
};
