// Reads lists in chunks, as objects or as the tables that the server makes of them.
import { ApiError, hasReason } from "../../api/errors.ts";
import { age } from "../../api/age.ts";
import { type ApiObject, instantOf } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { ServerTable, TableRow } from "../printers/table.ts";
import type { Connection } from "./connection.ts";
import { listAt, type Moment } from "./moments.ts";
import { apiVersionOf, pathOf, query, type Resource } from "./resources.ts";
import type { Target } from "./targets.ts";

/** Asks for a Table; a server that makes none answers with objects. */
export const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

interface Page {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
}
type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path of a target, or of a subresource of it, with its selectors and more parameters. */
export function requestPath(
  { resource, namespace, name, selection }: Target,
  more: Parameters,
  subresource = "",
): string {
  const path = pathOf(resource, namespace, name) + (subresource === "" ? "" : `/${subresource}`);
  return path + query({ ...(name === undefined ? selection : {}), ...more });
}

/** Adds to a refused selector what it was for, in kubectl's words. */
function explained(error: unknown, { resource, selection }: Target): unknown {
  if (!hasReason(error, "BadRequest") || !(selection?.labelSelector || selection?.fieldSelector)) return error;
  const type = `${resource.group}/${resource.version}, Resource=${resource.plural}`;
  const { labelSelector = "", fieldSelector = "" } = selection;
  const message = `Unable to find ${JSON.stringify(type)} that match label selector ${JSON.stringify(labelSelector)}, field selector ${JSON.stringify(fieldSelector)}: ${(error as Error).message}`;
  return new ApiError("BadRequest", message);
}

/** The pages of a list, each of at most `chunkSize` items; 0 is unlimited. A single object is one page. */
async function* pagesOf<T extends Page>(
  api: Connection,
  target: Target,
  { chunkSize, at }: Pick<ReadOptions, "chunkSize" | "at">,
  request: (parameters: Parameters) => { readonly path: string; readonly accept?: string },
): AsyncIterable<T> {
  let token: string | undefined;
  do {
    const then = at && listAt(at);
    // The token has the revision.
    const moment = token === undefined ? then : then && { ageAt: then.ageAt };
    const parameters = { limit: chunkSize > 0 ? chunkSize : undefined, continue: token, ...moment };
    const page: T = await api.request<T>(request(parameters)).then(
      ({ body }) => body,
      (error: unknown) => Promise.reject(explained(error, target)),
    );
    yield page;
    token = page.metadata?.continue || undefined;
  } while (token !== undefined);
}

/** How a target is read. */
export interface ReadOptions {
  readonly chunkSize: number;
  readonly subresource?: string | undefined;
  /** Tables with full objects instead of their metadata, to sort them. */
  readonly fullObjects?: boolean;
  /** When the objects are read as they were. */
  readonly at?: Moment | undefined;
  /** Tables of names and ages, which the server does not make. */
  readonly hasServerColumns?: boolean;
}

/** The list that has only the object of a target: the past is read by lists. */
const asList = ({ resource, namespace, name }: Target): Target => ({
  ...{ resource, namespace, name: undefined },
  selection: { labelSelector: undefined, fieldSelector: `metadata.name=${name}` },
});

const noneThen = ({ resource: { group, plural }, name }: Target, { time, revision }: Moment): ApiError => {
  const type = group === "" ? plural : `${plural}.${group}`;
  const moment = `${new Date(time).toISOString()} (revision ${revision})`;
  return new ApiError("NotFound", `${type} "${name}" not found at ${moment}`);
};

/** A single object as it was. */
async function readThen(
  api: Connection,
  target: Target,
  options: ReadOptions & { readonly at: Moment },
): Promise<readonly ApiObject[]> {
  const objects = await readObjects(api, asList(target), options);
  if (objects.length === 0) throw noneThen(target, options.at);
  return objects;
}

/** The objects of a target. Items of a list get the kind that they lack. */
export async function readObjects(
  api: Connection,
  target: Target,
  options: ReadOptions,
): Promise<readonly ApiObject[]> {
  const { resource, name } = target;
  if (name !== undefined && options.at) return readThen(api, target, { ...options, at: options.at });
  if (name !== undefined) return [await api.get<ApiObject>(requestPath(target, {}, options.subresource))];
  const objects: ApiObject[] = [];
  const pages = pagesOf<Page & { readonly items?: readonly ApiObject[] }>(api, target, options, (parameters) => ({
    path: requestPath(target, parameters),
  }));
  for await (const { items } of pages) objects.push(...(items ?? []));
  return objects.map((object) => withKind(object, resource));
}

/** The object with the kind of its resource. */
export const withKind = (object: ApiObject, resource: Resource): ApiObject => ({
  ...object,
  apiVersion: object.apiVersion ?? apiVersionOf(resource),
  kind: object.kind ?? resource.kind,
});

/** A Table with the revision at which it was read, to watch from there. */
export interface ReadTable extends ServerTable {
  readonly resourceVersion: string | undefined;
}

const { clock } = realWorld(() => {});

const rowOf = (object: ApiObject): TableRow => ({
  cells: [object.metadata.name, age(instantOf(object.metadata.creationTimestamp), clock.now())],
  object,
});

/** The Table of a response: its own, or one of names and ages. */
export function tableOf(body: unknown): ServerTable {
  const table = body as Partial<ServerTable> & { readonly kind?: string; readonly items?: readonly ApiObject[] };
  if (table.kind === "Table") return { columnDefinitions: table.columnDefinitions ?? [], rows: table.rows ?? [] };
  return {
    columnDefinitions: [
      { name: "Name", format: "name", priority: 0 },
      { name: "Age", priority: 0 },
    ],
    rows: (table.items ?? [body as ApiObject]).map(rowOf),
  };
}

/** The Table of a target, of all its chunks. */
export async function readTable(api: Connection, target: Target, options: ReadOptions): Promise<ReadTable> {
  if (target.name !== undefined && options.at) {
    const then = await readTable(api, asList(target), options);
    if (then.rows.length === 0) throw noneThen(target, options.at);
    return then;
  }
  const includeObject = options.fullObjects ? "Object" : undefined;
  const chunks = { chunkSize: target.name === undefined ? options.chunkSize : 0, at: options.at };
  let table: ReadTable = { columnDefinitions: [], rows: [], resourceVersion: undefined };
  const pages = pagesOf<Page>(api, target, chunks, (parameters) => ({
    path: requestPath(target, { includeObject, ...parameters }, options.subresource),
    accept: options.hasServerColumns === false ? "application/json" : asTable,
  }));
  for await (const page of pages) {
    const { columnDefinitions, rows } = tableOf(page);
    table = {
      columnDefinitions: columnDefinitions.length > 0 ? columnDefinitions : table.columnDefinitions,
      rows: [...table.rows, ...rows],
      resourceVersion: page.metadata?.resourceVersion,
    };
  }
  return table;
}
