// Schemas of custom resources must be structural: every field has a type, so that unknown fields can be pruned.
// Source: the custom resources page, "Specifying a structural schema".
import type { Problem } from "../errors.ts";
import type { JSONSchemaProps } from "../generated/types.ts";
import { forbidden, invalid, oneOf, required, together } from "../problems.ts";

const refused = ["$ref", "definitions", "dependencies", "id", "patternProperties", "additionalItems"] as const;
const types = ["array", "boolean", "integer", "number", "object", "string"];
const listTypes = ["atomic", "map", "set"];

const isObject = (value: unknown): value is JSONSchemaProps =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isOpen = (schema: JSONSchemaProps): boolean =>
  schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;

const quadratic = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";

/** Keywords that are refused at every level. */
function validateKeywords(schema: JSONSchemaProps, path: string): readonly Problem[] {
  const { type = "", additionalProperties, properties = {}, "x-kubernetes-list-type": listType } = schema;
  const hasBoth = additionalProperties !== undefined && Object.keys(properties).length > 0;
  return together(
    refused
      .filter((field) => schema[field] !== undefined)
      .map((field) => forbidden(`${path}.${field}`, `${field} is not supported`)),
    schema.uniqueItems && forbidden(`${path}.uniqueItems`, quadratic),
    hasBoth && forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"),
    type !== "" && oneOf(type, `${path}.type`, types),
    oneOf(listType, `${path}.x-kubernetes-list-type`, listTypes),
    listType === "map" &&
      !schema["x-kubernetes-list-map-keys"]?.length &&
      required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map"),
  );
}

/** A schema below another one has a type of its own. */
const validateInner = (schema: JSONSchemaProps, path: string, below: "object fields" | "array items") =>
  together(
    !schema.type && !isOpen(schema) && required(`${path}.type`, `must not be empty for specified ${below}`),
    validateSchema(schema, path),
  );

function validateSchema(schema: JSONSchemaProps, path: string): readonly Problem[] {
  const { properties = {}, items, additionalProperties: values } = schema;
  return together(
    validateKeywords(schema, path),
    ...Object.entries(properties).map(([name, inner]) =>
      validateInner(inner, `${path}.properties[${name}]`, "object fields"),
    ),
    isObject(values) && validateInner(values, `${path}.additionalProperties`, "object fields"),
    isObject(items) && validateInner(items, `${path}.items`, "array items"),
    schema.type === "array" && items === undefined && required(`${path}.items`, "must be specified"),
    Array.isArray(items) && forbidden(`${path}.items`, "items must be a schema object and not an array"),
  );
}

/** The schema of an object of the kind. */
export const validateRootSchema = (schema: JSONSchemaProps, path: string): readonly Problem[] =>
  together(
    !schema.type && required(`${path}.type`, "must not be empty at the root"),
    schema.type && schema.type !== "object" && invalid(`${path}.type`, schema.type, "must be object at the root"),
    schema.nullable && forbidden(`${path}.nullable`, "nullable cannot be true at the root"),
    validateSchema(schema, path),
  );
