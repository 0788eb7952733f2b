// States of the interactive view for its tests: pods on a screen, and what keys make of them.
import { instant } from "../../../../api/meta.ts";
import type { Resource } from "../../../../cli/client/resources.ts";
import type { Row } from "../../../../cli/ui/list.ts";
import {
  type Command,
  type Event,
  initialState,
  type ObjectsSource,
  podResource,
  type State,
  topPage,
} from "../../../../cli/ui/state.ts";
import { plain } from "../../../../cli/ui/style.ts";
import { update } from "../../../../cli/ui/update.ts";
import { view } from "../../../../cli/ui/view.ts";

const now = instant(Date.UTC(2026, 0, 31, 12));

const resource = (kind: string, plural: string, group: string, more: Partial<Resource> = {}): Resource => ({
  group,
  version: "v1",
  plural,
  singular: kind.toLowerCase(),
  kind,
  namespaced: true,
  shortNames: [],
  categories: [],
  verbs: ["list", "watch"],
  subresources: [],
  ...more,
});
/** What the server of the tests serves. */
export const resources: readonly Resource[] = [
  { ...podResource, verbs: ["list", "watch"] },
  resource("Namespace", "namespaces", "", { namespaced: false, shortNames: ["ns"] }),
  resource("Node", "nodes", "", { namespaced: false, shortNames: ["no"] }),
  resource("Deployment", "deployments", "apps", { shortNames: ["deploy"] }),
  resource("CronJob", "cronjobs", "batch", { shortNames: ["cj"] }),
  resource("ConfigMap", "configmaps", "", { shortNames: ["cm"] }),
];
export const resourceNamed = (plural: string): Resource => resources.find((r) => r.plural === plural)!;

const columns = [
  ...["NAME", "READY", "STATUS", "RESTARTS", "AGE"].map((title) => ({ title })),
  ...["IP", "NODE"].map((title) => ({ title, isWide: true })),
];
const pod = (name: string, status: string, restarts: number, minutes: number): Row => ({
  id: `default/${name}`,
  name,
  namespace: "default",
  cells: [name, status === "Running" ? "1/1" : "0/1", status, String(restarts), "?", "10.244.1.7", "worker-1"],
  created: instant(now - minutes * 60_000),
});
const pods: readonly Row[] = [
  pod("api-0", "Running", 0, 90),
  pod("web-6d4cf56db6-abcde", "Running", 2, 5),
  pod("web-6d4cf56db6-fghij", "CrashLoopBackOff", 10, 5),
  pod("worker-2", "Pending", 0, 1),
];

/** The size of the screen, and whether keys that change objects are refused. */
export interface Start {
  readonly columns?: number;
  readonly rows?: number;
  readonly isReadOnly?: boolean;
  readonly source?: Partial<ObjectsSource>;
  readonly table?: readonly Row[];
}

/** A state whose first page shows rows, by default four pods. */
export function started({
  columns: width = 80,
  rows = 24,
  isReadOnly = false,
  source,
  table = pods,
}: Start = {}): State {
  const first: ObjectsSource = { type: "objects", resource: podResource, namespace: "default", ...source };
  const size = { columns: width, rows };
  const state = initialState(first, { size, now, context: "lab", namespace: "default", isReadOnly });
  return afterEvents(
    state,
    { type: "discovered", resources, namespaces: ["default", "kube-system"], contexts: ["lab", "prod"] },
    { page: 1, type: "rows", update: { columns, changes: table, replaces: true } },
  );
}

/** The state after events. */
export const afterEvents = (state: State, ...events: readonly Event[]): State =>
  events.reduce((current, event) => update(current, event).state, state);

/** The keys of a text such as `:pods<enter>`. */
const keysOf = (typed: string): readonly string[] =>
  [...typed.matchAll(/<([\w-]+)>|(.)/g)].map(
    ([, named, character]) => named ?? (character === " " ? "space" : character!),
  );

/** The state after keys, and the last command that they gave. */
export function typed(state: State, text: string): { readonly state: State; readonly command: Command | undefined } {
  let current = state;
  let command: Command | undefined;
  for (const key of keysOf(text)) {
    const step = update(current, { type: "key", key });
    current = step.state;
    command = step.command ?? command;
  }
  return { state: current, command };
}

/** The lines of the screen as text, without the spaces at their ends. */
export const screen = (state: State): string =>
  view(state)
    .map((line) => plain(line).trimEnd())
    .join("\n");

/** What the page on top shows, in few words. */
export function summary(state: State): string {
  const { source, content } = topPage(state);
  const of = "of" in source ? ` ${source.of.resource.kind}/${source.of.name}` : "";
  if (source.type !== "objects") return `${source.type}${of}`;
  const { resource: shown, namespace = "*", labelSelector, fieldSelector, podsOf } = source;
  const selection = [labelSelector, fieldSelector, podsOf && `of ${podsOf.name}`].filter(Boolean).join(" ");
  const cursor = content.kind === "list" ? content.cursor : 0;
  return `${shown.plural} ${namespace}${selection === "" ? "" : ` ${selection}`} @${cursor}`;
}
