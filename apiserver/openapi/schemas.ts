// Schemas of kinds in the dialect of OpenAPI version 2 or 3, with references, and with the descriptions, enums and
// defaults of the published types, which are written at set-up.
import { readFile } from "node:fs/promises";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type Schema, schemaOf } from "../../api/schema.ts";
import { customDefinition } from "./custom-schemas.ts";

/** The description, enum and default of a field or a type. */
export interface Annotation {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
}
interface AnnotatedType extends Annotation {
  readonly fields: Readonly<Record<string, Annotation>>;
}
/** Annotations of types by their published names, and descriptions of query parameters. */
export interface Annotations {
  readonly types: Readonly<Record<string, AnnotatedType>>;
  readonly parameters: Readonly<Record<string, string>>;
}

const file = new URL("../../api/generated/annotations.json", import.meta.url);

export const readAnnotations = async (): Promise<Annotations> => JSON.parse(await readFile(file, "utf8"));

/** Which version of OpenAPI a document is written in. */
export type Dialect = "v2" | "v3";
type Json = Readonly<Record<string, unknown>>;

const roots: Readonly<Record<Dialect, string>> = { v2: "#/definitions/", v3: "#/components/schemas/" };
/** How a document of a version refers to a schema. */
export const referenceTo = (dialect: Dialect, name: string): string => roots[dialect] + name;

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const crd = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
const quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const rawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/** Named types that are one value, in each dialect. */
const valueTypes: Readonly<Record<string, Readonly<Record<Dialect, Json>>>> = {
  [quantity]: { v2: { type: "string" }, v3: { oneOf: [{ type: "string" }, { type: "number" }] } },
  [intOrString]: {
    v2: { format: "int-or-string", type: "string" },
    v3: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  ...Object.fromEntries(
    [
      [`${meta}.Time`, { type: "string", format: "date-time" }],
      [`${meta}.MicroTime`, { type: "string", format: "date-time" }],
      [`${meta}.FieldsV1`, { type: "object" }],
      [`${meta}.Patch`, { type: "object" }],
      [rawExtension, { type: "object" }],
      [`${crd}.CustomResourceSubresourceStatus`, { type: "object" }],
      ...["JSON", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"].map(
        (name) => [`${crd}.${name}`, {}] as const,
      ),
    ].map(([name, shape]) => [name as string, { v2: shape as Json, v3: shape as Json }]),
  ),
};
const formats: Readonly<Record<string, string>> = {
  quantity,
  "date-time": `${meta}.Time`,
  "date-time-micro": `${meta}.MicroTime`,
};
/** Fields of any shape whose type has a name. */
const untypedFields: Readonly<Record<string, string>> = {
  [`${meta}.ManagedFieldsEntry.fieldsV1`]: `${meta}.FieldsV1`,
  [`${crd}.CustomResourceSubresources.status`]: `${crd}.CustomResourceSubresourceStatus`,
  [`${crd}.JSONSchemaProps.items`]: `${crd}.JSONSchemaPropsOrArray`,
  [`${crd}.JSONSchemaProps.additionalItems`]: `${crd}.JSONSchemaPropsOrBool`,
  [`${crd}.JSONSchemaProps.additionalProperties`]: `${crd}.JSONSchemaPropsOrBool`,
  [`${crd}.JSONSchemaProps.dependencies`]: `${crd}.JSONSchemaPropsOrStringArray`,
  [`${crd}.JSONSchemaProps.default`]: `${crd}.JSON`,
  [`${crd}.JSONSchemaProps.enum`]: `${crd}.JSON`,
  [`${crd}.JSONSchemaProps.example`]: `${crd}.JSON`,
};

/** The name of the type of a schema, if it has one. `path` is that of the field. */
function nameOf(schema: Schema, path: string): string | undefined {
  if (schema.$ref !== undefined) return schema.$ref.slice(roots.v3.length);
  if (schema["x-kubernetes-int-or-string"] === true) return intOrString;
  if (schema["x-kubernetes-preserve-unknown-fields"] === true && schema.type === undefined)
    return untypedFields[path] ?? rawExtension;
  return schema.type === "string" ? formats[schema.format ?? ""] : undefined;
}

const zeros: Readonly<Record<string, unknown>> = { string: "", integer: 0, number: 0, boolean: false };

/** Go's zero value: in documents of version 3, the default of what is in lists and maps. */
function zeroOf(schema: Schema, path: string): unknown {
  const name = nameOf(schema, path);
  if (name !== undefined) return name in valueTypes ? undefined : {};
  return zeros[schema.type ?? ""];
}

interface Place {
  readonly dialect: Dialect;
  readonly path: string;
}

function elementOf(schema: Schema, at: Place, values?: readonly string[]): Json {
  const zero = zeroOf(schema, at.path);
  return published(schema, { ...(values && { enum: values }), ...(zero !== undefined && { default: zero }) }, at);
}

const extensions = (schema: Schema, prefix: string): Json =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key.startsWith(prefix)));

/** Formats of OpenAPI; all others are for validation only. */
const publishedFormats = new Set(["int32", "int64", "double", "byte"]);

/** A schema with its annotations. Version 3 wraps a reference that has siblings; version 2 has no defaults. */
function published(schema: Schema, { default: defaultValue, ...others }: Annotation, at: Place): Json {
  const more = { ...others, ...(at.dialect === "v3" && defaultValue !== undefined && { default: defaultValue }) };
  const name = nameOf(schema, at.path);
  const { type, format, items, additionalProperties } = schema;
  const rest = extensions(schema, "x-kubernetes-");
  const extensionFields = { ...extensions(schema, "x-kubernetes-list"), ...extensions(schema, "x-kubernetes-patch") };
  if (name !== undefined) {
    const $ref = referenceTo(at.dialect, name);
    const siblings = { ...more, ...extensionFields };
    if (Object.keys(siblings).length === 0) return { $ref };
    return at.dialect === "v3" ? { allOf: [{ $ref }], ...siblings } : { ...siblings, $ref };
  }
  if (items) {
    const { enum: values, ...own } = more;
    return { ...own, items: elementOf(items, at, values), type: "array", ...extensionFields };
  }
  if (additionalProperties)
    return { ...more, additionalProperties: elementOf(additionalProperties, at), type: "object", ...rest };
  if (schema.properties) return { ...more, ...objectOf(schema, {}, at), ...rest };
  return { ...more, ...(publishedFormats.has(format ?? "") && { format }), ...(type && { type }), ...rest };
}

function objectOf(schema: Schema, fields: Readonly<Record<string, Annotation>>, at: Place): Json {
  const properties = Object.entries(schema.properties ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => [name, published(field, fields[name] ?? {}, { ...at, path: `${at.path}.${name}` })]);
  const { required } = schema as Json;
  return { properties: Object.fromEntries(properties), ...(required ? { required } : {}), type: "object" };
}

/** A kind of a version, as documents name it. */
export interface GroupVersionKind {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

/** A list of a kind, for kinds that the published schemas have no list of. */
const listOf = (published: string): Schema => ({
  type: "object",
  properties: {
    apiVersion: { type: "string" },
    items: { type: "array", items: { $ref: roots.v3 + published } },
    kind: { type: "string" },
    metadata: { $ref: `${roots.v3}${meta}.ListMeta` },
  },
  required: ["items"],
});

/** An event of a watch; the generated schema has another shape. */
const watchEvent: Schema = {
  type: "object",
  properties: { object: { "x-kubernetes-preserve-unknown-fields": true }, type: { type: "string" } },
  required: ["type", "object"],
};

function schemaNamed(name: string, kinds: readonly ResourceDefinition[]): Schema {
  if (name === `${meta}.WatchEvent`) return watchEvent;
  const kind = kinds.find((r) => r.published === name || `${r.published}List` === name);
  if (kind?.published === name) return kind.schema;
  try {
    return schemaOf(name);
  } catch (e) {
    if (kind) return listOf(kind.published);
    throw e;
  }
}

function namesIn(schema: Schema, path: string): readonly string[] {
  const name = nameOf(schema, path);
  const fields = Object.entries(schema.properties ?? {}).flatMap(([field, s]) => namesIn(s, `${path}.${field}`));
  const within = [schema.items, schema.additionalProperties].flatMap((s) => (s ? namesIn(s, path) : []));
  return [...(name === undefined ? [] : [name]), ...fields, ...within];
}

/** The named schemas and all that they refer to, as a document defines them. */
export function definitions(
  names: Iterable<string>,
  kinds: readonly ResourceDefinition[],
  { types }: Annotations,
  dialect: Dialect,
): Record<string, Json> {
  const found = new Map<string, Json>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name)) continue;
    const { description, fields = {} } = types[name] ?? {};
    const text = description === undefined ? {} : { description };
    const shape = valueTypes[name]?.[dialect];
    if (shape) {
      found.set(name, { ...text, ...shape });
      continue;
    }
    const custom = kinds.find((r) => r.published === name)?.openApi;
    if (custom) {
      const common = types["io.k8s.api.core.v1.Pod"]?.fields ?? {};
      found.set(name, customDefinition(custom, common, referenceTo(dialect, `${meta}.ObjectMeta`), dialect));
      pending.push(`${meta}.ObjectMeta`);
      continue;
    }
    const schema = schemaNamed(name, kinds);
    pending.push(...namesIn(schema, name));
    const extensionFields = extensions(schema, "x-kubernetes-");
    const own = objectOf(name.endsWith("List") ? withoutMergeKeys(schema) : schema, fields, { dialect, path: name });
    found.set(name, { ...text, ...own, ...extensionFields });
  }
  return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The items of a List have no merge keys. */
function withoutMergeKeys(schema: Schema): Schema {
  const { items, ...others } = schema.properties ?? {};
  if (!items?.items) return schema;
  return { ...schema, properties: { ...others, items: { type: "array", items: items.items } } };
}
