// The schema of custom resources, from that of their definition. Pure. Source: the API reference of JSONSchemaProps and
// the custom resources page, "Specifying a structural schema".
import type { JSONSchemaProps } from "../generated/types.ts";
import { openApiFormats } from "../openapi-formats.ts";
import type { Schema } from "../schema.ts";

const text: Schema = { type: "string", custom: true };
const anything: Schema = { "x-kubernetes-preserve-unknown-fields": true, custom: true };
const embeddedMeta: Schema = { type: "object", ...anything };
const objectMeta: Schema = { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" };

/** Keywords that mean the same in both, and are copied. */
const copied = [
  ...["type", "nullable", "default", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  ...["multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "required"],
  ...["x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type"],
  ...["x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-validations"],
] as const;

const isSchema = (value: unknown): value is JSONSchemaProps =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function uniqueness(props: JSONSchemaProps): Pick<Schema, "unique"> {
  if (props["x-kubernetes-list-type"] === "set") return { unique: true };
  const keys = props["x-kubernetes-list-map-keys"];
  return props["x-kubernetes-list-type"] === "map" && keys ? { unique: keys } : {};
}

/** Fields that are always known in objects within an object. */
const embedded = (props: JSONSchemaProps): Readonly<Record<string, Schema>> =>
  props["x-kubernetes-embedded-resource"] ? { apiVersion: text, kind: text, metadata: embeddedMeta } : {};

/** Branches of `allOf` and the others: they restrict, and prune nothing. */
function logic(props: JSONSchemaProps): Schema {
  const { allOf, anyOf, oneOf, not } = props;
  return {
    ...(allOf && { allOf: allOf.map(customSchema) }),
    ...(anyOf && { anyOf: anyOf.map(customSchema) }),
    ...(oneOf && { oneOf: oneOf.map(customSchema) }),
    ...(not && { not: customSchema(not) }),
  };
}

function customSchema(props: JSONSchemaProps): Schema {
  const { properties, items, additionalProperties, format = "" } = props;
  const own = { ...embedded(props), ...(properties && mapped(properties)) };
  const values = isSchema(additionalProperties)
    ? customSchema(additionalProperties)
    : additionalProperties === true && anything;
  return {
    ...Object.fromEntries(copied.flatMap((name) => (props[name] === undefined ? [] : [[name, props[name]]]))),
    custom: true,
    ...(Object.keys(own).length > 0 && { properties: own }),
    ...(isSchema(items) && { items: customSchema(items) }),
    ...(values && { additionalProperties: values }),
    ...(Object.hasOwn(openApiFormats, format) && { openApiFormat: format }),
    ...uniqueness(props),
    ...logic(props),
  };
}

const mapped = (properties: Readonly<Record<string, JSONSchemaProps>>): Readonly<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, customSchema(inner)]));

/** The schema of an object of a kind; without one, all fields are kept. */
export function schemaOfCustomResource(props: JSONSchemaProps | undefined): Schema {
  const schema = props ? customSchema(props) : { type: "object" as const, ...anything };
  const identity = { apiVersion: text, kind: text, metadata: objectMeta };
  return { ...schema, properties: { ...schema.properties, ...identity } };
}
