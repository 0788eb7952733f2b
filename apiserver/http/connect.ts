// Admission of connections: sessions and proxies pass the admission chain with the operation CONNECT before they open.
import type { Subresource } from "../../api/kinds.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import type { User } from "../authorization/authorizer.ts";
import { proxyPath } from "../proxy/target.ts";
import { subresourceOf } from "../registry/strategies/table.ts";
import type { Registry } from "../registry/verbs.ts";
import { type ResourcePath, flag } from "../request/path.ts";

/** A request that connects. */
interface Connecting {
  readonly path: string;
  readonly place: ResourcePath;
  readonly query: URLSearchParams;
  readonly user: User;
}

/** How a parameter is read into its field of the options; text as it is. */
const fields: Readonly<Record<string, (query: URLSearchParams, name: string) => unknown>> = {
  command: (query, name) => query.getAll(name),
  ports: (query, name) => query.getAll(name).map(Number),
  ...Object.fromEntries(["stdin", "stdout", "stderr", "tty"].map((name) => [name, flag])),
};

/** The parameters as fields; those that are empty are absent. Pure. */
function fieldsOf(query: URLSearchParams, parameters: readonly string[]): object {
  const values = parameters.map((name) => [name, fields[name]?.(query, name) ?? query.get(name)] as const);
  const isEmpty = (value: unknown): boolean => !value || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(values.filter(([, value]) => !isEmpty(value)));
}

/** Throws the refusal of an admission plugin. A log is a read, which is not admitted. */
export async function admitConnection(registry: Registry, { path, place, query, user }: Connecting): Promise<void> {
  const { name, namespace, subresource = "" } = place;
  const r = registry.kinds.of(place);
  const connects = r && subresource !== "log" && subresourceOf(r, subresource)?.connects;
  if (!connects || name === undefined) return;
  const rest = proxyPath(path)?.rest;
  const options = {
    kind: connects.options(r),
    apiVersion: "v1",
    ...fieldsOf(rest === undefined ? query : new URLSearchParams({ path: rest }), connects.parameters),
  };
  // Options of connections have no metadata.
  const target = { r, key: key(namespace, name) };
  await registry.admit(target, {
    operation: "CONNECT",
    subresource: subresource as Subresource,
    object: options as object as ApiObject,
    options: { user, dryRun: false },
  });
}
