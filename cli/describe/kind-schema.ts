// Finds the kind and field that a text such as `deployments.apps.spec.strategy` names, and the kind's schema.
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import type { Mapper } from "../client/discovery.ts";
import { apiVersionOf, isNamed, type Resource } from "../client/resources.ts";
import { type Schema, type SchemaDocument, Schemas } from "./schema-text.ts";

/** The resource that the beginning of the text names, such as `deployments.apps`, and the fields after it. */
export async function namedField(text: string, mapper: Mapper): Promise<readonly [Resource, readonly string[]]> {
  const parts = text.replace(/\.$/, "").split(".");
  const all = await mapper.all();
  for (let length = parts.length; length > 1; length--) {
    const resource = all.find((r) => isNamed(r, parts.slice(0, length).join(".")));
    if (resource) return [resource, parts.slice(length)];
  }
  return [await mapper.named(parts[0]!), parts.slice(1)];
}

/** The resource in another version, if one is named. Throws CliError when the server does not serve it. */
export async function inVersion(resource: Resource, apiVersion: string | undefined, mapper: Mapper): Promise<Resource> {
  if (!apiVersion) return resource;
  const found = (await mapper.all()).find((r) => r.plural === resource.plural && apiVersionOf(r) === apiVersion);
  if (found) return found;
  throw new CliError(`couldn't find resource for "${apiVersion}, Resource=${resource.plural}"`);
}

interface Kinded extends Schema {
  readonly "x-kubernetes-group-version-kind"?: readonly Pick<Resource, "group" | "version" | "kind">[];
}

/** The schema of a resource's kind, and the schemas it refers to. Throws CliError when the server publishes none. */
export async function schemaOf(resource: Resource, api: Connection): Promise<readonly [Schema, Schemas]> {
  const { group, version, kind } = resource;
  const root = group === "" ? `api/${version}` : `apis/${group}/${version}`;
  const { paths } = await api.get<{
    readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
  }>("/openapi/v3");
  const url = paths[root]?.serverRelativeURL;
  if (url === undefined)
    throw new CliError(`couldn't find resource for "${apiVersionOf(resource)}, Resource=${resource.plural}"`);
  const document = await api.get<SchemaDocument>(url);
  const all = Object.values((document.components?.schemas ?? {}) as Readonly<Record<string, Kinded>>);
  const schema = all.find((s) =>
    s["x-kubernetes-group-version-kind"]?.some((k) => k.group === group && k.version === version && k.kind === kind),
  );
  if (schema) return [schema, new Schemas(document)];
  throw new CliError(`GVR (${apiVersionOf(resource)}, Resource=${resource.plural}) not found in OpenAPI schema`);
}
