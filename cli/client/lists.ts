// Reads lists in chunks, as objects or as the tables that the server makes of them.
import { ApiError, hasReason } from "../../api/errors.ts";
import { age } from "../../api/age.ts";
import { type ApiObject, instantOf } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { ServerTable, TableRow } from "../printers/table.ts";
import type { Connection } from "./connection.ts";
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
  chunkSize: number,
  request: (parameters: Parameters) => { readonly path: string; readonly accept?: string },
): AsyncIterable<T> {
  let token: string | undefined;
  do {
    const parameters = { limit: chunkSize > 0 ? chunkSize : undefined, continue: token };
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
  /** Tables of names and ages, which the server does not make. */
  readonly hasServerColumns?: boolean;
}

/** The objects of a target. Items of a list get the kind that they lack. */
export async function readObjects(
  api: Connection,
  target: Target,
  options: ReadOptions,
): Promise<readonly ApiObject[]> {
  const { resource, name } = target;
  if (name !== undefined) return [await api.get<ApiObject>(requestPath(target, {}, options.subresource))];
  const objects: ApiObject[] = [];
  const pages = pagesOf<Page & { readonly items?: readonly ApiObject[] }>(
    api,
    target,
    options.chunkSize,
    (parameters) => ({
      path: requestPath(target, parameters),
    }),
  );
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
  const includeObject = options.fullObjects ? "Object" : undefined;
  const chunkSize = target.name === undefined ? options.chunkSize : 0;
  let table: ReadTable = { columnDefinitions: [], rows: [], resourceVersion: undefined };
  const pages = pagesOf<Page>(api, target, chunkSize, (parameters) => ({
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
