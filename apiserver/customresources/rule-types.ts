// The type of `self` in the rules of a schema, so that an expression that names no field is refused. What is in lists
// and maps has no type. And the sizes that the schema limits, by which the cost of an expression is estimated.
import type { JSONSchemaProps } from "../../api/generated/types.ts";
import type { KnownSize } from "../../machinery/cel/cost.ts";

/** A type of CEL, or the types of the fields of an object. */
export type SelfType = string | { readonly [field: string]: SelfType };

const scalars: Readonly<Record<string, string>> = {
  integer: "int",
  number: "double",
  boolean: "bool",
  string: "string",
};
/** Fields that every object of a kind has. */
const identity: JSONSchemaProps = {
  type: "object",
  properties: { name: { type: "string" }, generateName: { type: "string" } },
};
const isIdentifier = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);

function typeOf(schema: JSONSchemaProps): SelfType {
  const { type = "", properties, additionalProperties } = schema;
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true || schema.nullable === true;
  if (schema["x-kubernetes-int-or-string"] || (type === "" && !properties)) return "dyn";
  if (scalars[type] !== undefined) return schema.nullable ? "dyn" : scalars[type];
  if (type === "array") return "list<dyn>";
  if (isOpen || !properties || additionalProperties) return "map<string, dyn>";
  return fieldsOf(properties);
}

const fieldsOf = (properties: Readonly<Record<string, JSONSchemaProps>>): SelfType =>
  Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => isIdentifier(name))
      .map(([name, inner]) => [name, typeOf(inner)]),
  );

/** The type of the values of a schema; the root of one has the fields of every object as well. */
export function selfType(schema: JSONSchemaProps): SelfType {
  const { properties } = schema;
  const isRoot = properties?.["spec"] !== undefined || properties?.["status"] !== undefined;
  if (!isRoot) return typeOf(schema);
  const text: JSONSchemaProps = { type: "string" };
  return typeOf({ ...schema, properties: { apiVersion: text, kind: text, ...properties, metadata: identity } });
}

const isSchema = (value: unknown): value is JSONSchemaProps => typeof value === "object" && value !== null;
const isNumber = ({ type }: JSONSchemaProps): boolean => ["integer", "number", "boolean"].includes(type ?? "");

/** The greatest size of a value: characters, items or entries. */
const sizeOf = (schema: JSONSchemaProps, most: number): number =>
  isNumber(schema) ? 1 : (schema.maxItems ?? schema.maxLength ?? schema.maxProperties ?? most);

/** The sizes of what a rule can name by fields. */
export function sizesIn(schema: JSONSchemaProps, most: number): ReadonlyMap<string, KnownSize> {
  const sizes = new Map<string, KnownSize>();
  const add = (inner: JSONSchemaProps, path: string): void => {
    const items = isSchema(inner.items) ? sizeOf(inner.items, most) : most;
    for (const name of [path, path.replace(/^self/, "oldSelf")]) sizes.set(name, { size: sizeOf(inner, most), items });
    for (const [name, field] of Object.entries(inner.properties ?? {})) add(field, `${path}.${name}`);
  };
  add(schema, "self");
  return sizes;
}
