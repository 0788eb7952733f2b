// Moves between pages: opens, closes and reloads them, and changes the one that is shown. Pure.
import type { Resource } from "../client/resources.ts";
import type { Size } from "./cells.ts";
import { type List, type Row, scrolled, selectedRow } from "./list.ts";
import { newPage, type ObjectRef, type Page, podResource, type Source, type State, topPage } from "./state.ts";
import { settled, type Text } from "./text.ts";

/** How many pages can be gone back to; covered pages keep their rows. */
const maxPages = 10;

/** The lines around a page: the title, the header of a table, and the last line. */
const aroundList = 3;
const aroundText = 2;

/** The part of the screen for the rows or lines of a page. */
export const bodySize = ({ size, pages }: State): Size => ({
  columns: size.columns,
  rows: Math.max(1, size.rows - (pages.at(-1)!.content.kind === "list" ? aroundList : aroundText)),
});

/** The state with another page on top. */
export function withTop(state: State, change: (page: Page) => Page): State {
  const page = topPage(state);
  const changed = change(page);
  return changed === page ? state : { ...state, pages: [...state.pages.slice(0, -1), changed] };
}

/** Changes the list that is shown; other pages stay as they are. */
export const withList = (state: State, change: (list: List) => List): State =>
  withTop(state, (page) => (page.content.kind === "list" ? { ...page, content: change(page.content) } : page));

/** Changes the text that is shown; other pages stay as they are. */
export const withText = (state: State, change: (text: Text) => Text): State =>
  withTop(state, (page) => (page.content.kind === "text" ? { ...page, content: change(page.content) } : page));

/** The state with the page on top scrolled as the size of the screen requires. */
export function settle(state: State): State {
  const body = bodySize(state);
  return withTop(state, (page) => {
    const content = page.content.kind === "list" ? scrolled(page.content, body.rows) : settled(page.content, body);
    return content === page.content ? page : { ...page, content };
  });
}

/** Opens a page above the one that is shown. */
export function opened(state: State, source: Source): State {
  const pages = [...state.pages, newPage(state.nextId, source)].slice(-maxPages);
  return { ...state, pages, nextId: state.nextId + 1 };
}

/** Reads a page again, while its rows or lines stay in view. */
const renewed = (page: Page, id: number): Page => ({ ...page, id, status: "loading", error: undefined });

/** Closes the page that is shown, if there is another below it, which is read again. */
export function closed(state: State): State {
  if (state.pages.length === 1) return state;
  return reloaded({ ...state, pages: state.pages.slice(0, -1) });
}

/** Reads the page that is shown from the beginning. */
export const reloaded = (state: State): State =>
  withTop({ ...state, nextId: state.nextId + 1 }, (page) => renewed(page, state.nextId));

/** Shows another source in place of the one that is shown, in the same order and with the same filter. */
export function replaced(state: State, source: Source): State {
  const empty = newPage(state.nextId, source);
  return withTop({ ...state, nextId: state.nextId + 1 }, ({ content }) => {
    if (content.kind === "text" || empty.content.kind === "text") return empty;
    const { filter, sort } = content;
    return { ...empty, content: { ...empty.content, filter, sort } };
  });
}

/** The resource of a page's rows, where all are of one. */
const resourceOf = ({ type, ...source }: Source, row: Row): Resource | undefined =>
  row.resource ?? (type === "objects" && "resource" in source ? source.resource : undefined);

/** The object under the cursor, or that the page describes. */
export function selectedObject(state: State): ObjectRef | undefined {
  const { source, content } = topPage(state);
  if (source.type === "containers") return source.of;
  if (content.kind === "text") return "of" in source ? source.of : undefined;
  const row = selectedRow(content);
  const resource = row && resourceOf(source, row);
  return resource && { resource, namespace: row.namespace, name: row.name };
}

/** The container under the cursor, in a list of containers. */
export function selectedContainer(state: State): string | undefined {
  const { source, content } = topPage(state);
  return source.type === "containers" && content.kind === "list" ? selectedRow(content)?.name : undefined;
}

/** `Deployment.apps`: a kind and its group. */
export const kindOf = ({ kind, group }: Pick<Resource, "kind" | "group">): string =>
  group === "" ? kind : `${kind}.${group}`;

/** Kinds whose pods are found by a selector. */
export const withPods: readonly string[] = [
  "Deployment.apps",
  "ReplicaSet.apps",
  "StatefulSet.apps",
  "DaemonSet.apps",
  "Job.batch",
  "Service",
  "ReplicationController",
];

/** What Enter opens for an object: what it consists of, or else its description. */
export function partsOf(of: ObjectRef, resources: readonly Resource[]): Source {
  const { resource, namespace, name } = of;
  const pods = { type: "objects", resource: podResource } as const;
  const kind = kindOf(resource);
  if (kind === "Pod") return { type: "containers", of };
  if (kind === "Node") return { ...pods, namespace: undefined, fieldSelector: `spec.nodeName=${name}` };
  if (kind === "Namespace") return { ...pods, namespace: name };
  if (kind === "CronJob.batch") return { type: "tree", of };
  if (withPods.includes(kind)) return { ...pods, namespace, podsOf: of };
  if (kind === "CustomResourceDefinition.apiextensions.k8s.io") {
    const [plural, ...group] = name.split(".");
    const defined = resources.find((r) => r.plural === plural && r.group === group.join("."));
    if (defined) return { type: "objects", resource: defined, namespace: undefined };
  }
  return { type: "describe", of };
}
