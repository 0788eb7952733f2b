// Schemas of custom resources as OpenAPI documents have them: those of their definitions, with the fields that every
// object has. Pure. Source: the custom resources page, "Publish Validation Schema in OpenAPI".
import type { JSONSchemaProps } from "../../api/generated/types.ts";

type Json = Readonly<Record<string, unknown>>;

const preserved = "x-kubernetes-preserve-unknown-fields";
/** Keywords that version 2 has no form of, or that its clients misread. */
const onlyInVersion3 = ["allOf", "anyOf", "oneOf", "not", "nullable"];

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Each schema directly within a schema, transformed. */
function mapSchemas(schema: Json, map: (inner: Json) => Json): Json {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(isObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, map(inner as Json)])),
    }),
    ...(isObject(items) && { items: map(items) }),
    ...(isObject(additionalProperties) && { additionalProperties: map(additionalProperties) }),
  };
}

/** In version 2, whose clients validate by what they understand: no type for what may be null, or of two types. */
function inVersion2(schema: Json): Json {
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => !onlyInVersion3.includes(key)));
  if (schema["nullable"] === true || schema["x-kubernetes-int-or-string"] === true) {
    const { type: _, properties: __, items: ___, ...untyped } = kept;
    return schema["x-kubernetes-int-or-string"] === true ? untyped : mapSchemas(untyped, inVersion2);
  }
  if (schema[preserved] === true && schema["type"] === "object") {
    const { properties: _, required: __, ...open } = kept;
    return open;
  }
  return mapSchemas(kept, inVersion2);
}

/** The schema of a kind, as a document publishes it. */
export function customDefinition(
  props: JSONSchemaProps,
  common: Readonly<Record<string, { readonly description?: string }>>,
  metadataReference: string,
  dialect: "v2" | "v3",
): Json {
  const body = (dialect === "v2" ? inVersion2(props as Json) : props) as Json;
  if (Object.keys(props).length === 0 || (dialect === "v2" && (props as Json)[preserved] === true))
    return { type: "object" };
  const text = (name: string): Json => ({ description: common[name]?.description, type: "string" });
  const metadata = { description: common["metadata"]?.description };
  const reference = { $ref: metadataReference };
  return {
    ...body,
    type: "object",
    properties: {
      ...(isObject(body["properties"]) && body["properties"]),
      apiVersion: text("apiVersion"),
      kind: text("kind"),
      metadata: dialect === "v3" ? { allOf: [reference], ...metadata } : { ...reference, ...metadata },
    },
  };
}
