// The options of commands about objects, and the requests they share.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { discover, pathOf, type Resource, type Target } from "../api/resources.ts";
import { type Connection, connect } from "../cluster/connection.ts";
import { withCluster } from "./cluster-option.ts";

export interface ObjectFlags {
  readonly name: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
}

/** Adds the options for the cluster and the namespace. */
export const withNamespace = (command: Command): Command =>
  withCluster(command).option("-n, --namespace <namespace>", 'which namespace (default: "default")');

/** Adds the options for the cluster, the namespace and the selection of objects. */
export const withSelection = (command: Command): Command =>
  withNamespace(command)
    .option("-A, --all-namespaces", "in every namespace")
    .option("-l, --selector <labels>", "only those with these labels, such as app=web,tier!=cache")
    .option("--field-selector <fields>", "only those with these fields, such as status.phase=Running");

/** The namespace of the flags; undefined for all namespaces. */
export const namespaceOf = (flags: ObjectFlags): string | undefined =>
  flags.allNamespaces ? undefined : (flags.namespace ?? "default");

/** The query string of these parameters, without undefined ones. */
export function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const defined = Object.entries(parameters).flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)]]));
  return defined.length === 0 ? "" : `?${new URLSearchParams(defined)}`;
}

export const selectionOf = (flags: ObjectFlags) => ({
  labelSelector: flags.selector,
  fieldSelector: flags.fieldSelector,
});

/** A connection, and the resources its server serves. */
export interface Session {
  readonly api: Connection;
  readonly resources: readonly Resource[];
}
export async function session(flags: { readonly name: string }): Promise<Session> {
  const api = await connect(flags.name);
  return { api, resources: await discover(api) };
}

/** The named object, or the objects that the flags select; with their kinds, which items of a list lack. */
export async function objectsOf(
  api: Connection,
  { resource, name }: Target,
  flags: ObjectFlags,
): Promise<readonly ApiObject[]> {
  if (name !== undefined) return [await api.get<ApiObject>(pathOf(resource, namespaceOf(flags), name))];
  const apiVersion = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
  const path = pathOf(resource, namespaceOf(flags)) + query(selectionOf(flags));
  return (await api.list<ApiObject>(path)).map((object) => ({ ...object, apiVersion, kind: resource.kind }));
}

/** Writes a line to standard output. */
export const printLine = (text: string): void => void process.stdout.write(`${text}\n`);
