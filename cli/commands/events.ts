// orrery events: lists events, of all objects or of one, and watches new ones.
import type { Command } from "commander";
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import { isNamed, pathOf, query, type Resource } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { CliError } from "../cli-error.ts";
import { jsonLines } from "../client/connection.ts";
import { eventAge, lastSeen } from "../printers/describe.ts";
import { textTable } from "../printers/table.ts";
import { clock, interruption } from "./cluster-option.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

interface Flags extends GlobalFlags {
  readonly allNamespaces?: boolean;
  readonly for?: string;
  readonly watch?: boolean;
}
interface EventList {
  readonly items: readonly CoreV1Event[];
  readonly metadata: { readonly resourceVersion: string };
}

const cells = (e: CoreV1Event, now: Instant): readonly string[] => [
  e.metadata.namespace ?? "",
  eventAge(e, now),
  e.type ?? "",
  e.reason ?? "",
  `${e.involvedObject.kind?.toLowerCase()}/${e.involvedObject.name}`,
  e.message ?? "",
];

/** The field selector of the events of `pod/web-1`. */
function selectorFor(text: string | undefined, resources: readonly Resource[]): string | undefined {
  if (text === undefined) return undefined;
  const [type = "", name] = text.split("/");
  const resource = resources.find((r) => isNamed(r, type));
  if (!resource || !name) throw new CliError(`"${text}" names no object`, "For example: orrery events --for pod/web-1");
  return `involvedObject.kind=${resource.kind},involvedObject.name=${name}`;
}

const show = async (flags: Flags): Promise<void> => {
  const { api, mapper, namespace } = await session(flags);
  const resources = await mapper.all();
  const events = resources.find((r) => r.plural === "events" && r.group === "")!;
  const path = pathOf(events, flags.allNamespaces ? undefined : namespace);
  const fieldSelector = selectorFor(flags.for, resources);
  const header = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
  const { items, metadata } = await api.get<EventList>(path + query({ fieldSelector }));
  const now = clock.now();
  const rows = items.toSorted((a, b) => lastSeen(a) - lastSeen(b)).map((e) => cells(e, now));
  if (rows.length > 0 || flags.watch) printLine(textTable(header, rows));
  else process.stderr.write("No events found.\n");
  if (!flags.watch) return;
  const from = { fieldSelector, watch: true, resourceVersion: metadata.resourceVersion };
  for await (const { type, object } of jsonLines<{ readonly type: string; readonly object: CoreV1Event }>(
    api.stream({ path: path + query(from) }, interruption()),
  ))
    if (type === "ADDED" || type === "MODIFIED") printLine(cells(object, clock.now()).join("   "));
};

/** Adds `events` to the program. */
export const register = (program: Command): void => {
  program
    .command("events")
    .summary("show what happened lately")
    .option("-A, --all-namespaces", "in every namespace")
    .option("--for <object>", "only to this object, such as pod/web-1")
    .option("-w, --watch", "go on and print what happens next")
    .addHelpText("after", "\nExamples:\n  orrery events -A\n  orrery events --for deploy/web --watch")
    .action(show);
};
