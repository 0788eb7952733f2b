// The options that commands about objects share: where they live and which of them are meant.
import type { Command } from "commander";
import { type Connection, connect } from "../api/connection.ts";
import { discover, type Resource } from "../api/resources.ts";
import { withCluster } from "./cluster-option.ts";

export interface ObjectFlags {
  readonly name: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
}

/** Options that say where: the cluster and the namespace. */
export const withPlace = (command: Command): Command =>
  withCluster(command).option("-n, --namespace <namespace>", 'which namespace (default: "default")');

/** Options that say which, beside the place. */
export const withSelection = (command: Command): Command =>
  withPlace(command)
    .option("-A, --all-namespaces", "in every namespace")
    .option("-l, --selector <labels>", "only those with these labels, such as app=web,tier!=cache")
    .option("--field-selector <fields>", "only those with these fields, such as status.phase=Running");

/** The namespace that is meant; undefined means all of them. */
export const namespaceOf = (flags: ObjectFlags): string | undefined =>
  flags.allNamespaces ? undefined : (flags.namespace ?? "default");

/** The query string of these parameters, without those that say nothing. */
export function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)]]));
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

export const selectionOf = (flags: ObjectFlags) => ({
  labelSelector: flags.selector,
  fieldSelector: flags.fieldSelector,
});

/** A connection, and what its server offers. */
export async function session(flags: {
  readonly name: string;
}): Promise<{ readonly api: Connection; readonly resources: readonly Resource[] }> {
  const api = await connect(flags.name);
  return { api, resources: await discover(api) };
}
