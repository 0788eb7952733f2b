// orrery events: what happened lately, to everything or to one object; `--watch` goes on telling.
import type { Command } from "commander";
import { age } from "../../api/age.ts";
import type { CoreV1Event } from "../../api/generated/types.ts";
import { instantOf, type Instant } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { jsonLines } from "../api/connection.ts";
import { pathOf, type Resource } from "../api/resources.ts";
import { CliError } from "../cli-error.ts";
import { textTable } from "../printers/table.ts";
import { interruption } from "./cluster-option.ts";
import { namespaceOf, type ObjectFlags, query, session, withPlace } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly for?: string;
  readonly watch?: boolean;
}

const lastSeen = (e: CoreV1Event): Instant => instantOf(e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp);
const cells = (e: CoreV1Event, now: Instant): readonly string[] => [
  e.metadata.namespace ?? "",
  age(lastSeen(e), now) + ((e.count ?? 1) > 1 ? ` (x${e.count})` : ""),
  e.type ?? "",
  e.reason ?? "",
  `${e.involvedObject.kind?.toLowerCase()}/${e.involvedObject.name}`,
  e.message ?? "",
];

/** `pod/web-1` as the fields an event names its object by. */
function subject(text: string | undefined, resources: readonly Resource[]): string | undefined {
  if (text === undefined) return undefined;
  const [type = "", name] = text.split("/");
  const resource = resources.find((r) => [r.plural, r.singular, r.kind.toLowerCase(), ...r.shortNames].includes(type));
  if (!resource || !name) throw new CliError(`"${text}" names no object`, "For example: orrery events --for pod/web-1");
  return `involvedObject.kind=${resource.kind},involvedObject.name=${name}`;
}

const show = async (flags: Flags): Promise<void> => {
  const { api, resources } = await session(flags);
  const events = resources.find((r) => r.plural === "events" && r.group === "")!;
  const path = pathOf(events, namespaceOf(flags));
  const fieldSelector = subject(flags.for, resources);
  const { clock } = realWorld(() => {});
  const header = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
  const { body } = await api.ask<{
    readonly items: readonly CoreV1Event[];
    readonly metadata: { readonly resourceVersion: string };
  }>({ path: path + query({ fieldSelector }) });
  const now = clock.now();
  const rows = body.items.toSorted((a, b) => lastSeen(a) - lastSeen(b)).map((e) => cells(e, now));
  if (rows.length > 0 || flags.watch) process.stdout.write(`${textTable(header, rows)}\n`);
  else process.stderr.write("No events found.\n");
  if (!flags.watch) return;
  const from = { fieldSelector, watch: true, resourceVersion: body.metadata.resourceVersion };
  for await (const { type, object } of jsonLines<{ readonly type: string; readonly object: CoreV1Event }>(
    api.stream({ path: path + query(from) }, interruption()),
  ))
    if (type === "ADDED" || type === "MODIFIED") process.stdout.write(`${cells(object, clock.now()).join("   ")}\n`);
};

/** Adds `events` to the program. */
export const register = (program: Command): void => {
  withPlace(program.command("events"))
    .summary("show what happened lately")
    .option("-A, --all-namespaces", "in every namespace")
    .option("--for <object>", "only to this object, such as pod/web-1")
    .option("-w, --watch", "go on and print what happens next")
    .addHelpText("after", "\nExamples:\n  orrery events -A\n  orrery events --for deploy/web --watch")
    .action(show);
};
