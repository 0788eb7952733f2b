// Schemas of kinds that users bring must be structural: every field says what it is, so that what is unknown can be
// dropped. Source: the custom resources page, "Specifying a structural schema".
import type { Problem } from "../errors.ts";
import type { JSONSchemaProps } from "../generated/types.ts";
import { forbidden, invalid, required, unsupported } from "../problems.ts";

const unsupportedFields = [
  "$ref",
  "definitions",
  "dependencies",
  "id",
  "patternProperties",
  "additionalItems",
] as const;
const types = ["array", "boolean", "integer", "number", "object", "string"];
const listTypes = ["atomic", "map", "set"];

const isObject = (value: unknown): value is JSONSchemaProps =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isOpen = (schema: JSONSchemaProps): boolean =>
  schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;

/** What a field may not say, wherever it stands. */
function validateWords(schema: JSONSchemaProps, path: string): readonly Problem[] {
  const { type = "", additionalProperties, properties = {} } = schema;
  const listType = schema["x-kubernetes-list-type"];
  const hasBoth = additionalProperties !== undefined && Object.keys(properties).length > 0;
  return [
    ...unsupportedFields
      .filter((field) => schema[field] !== undefined)
      .map((field) => forbidden(`${path}.${field}`, `${field} is not supported`)),
    ...(schema.uniqueItems
      ? [
          forbidden(
            `${path}.uniqueItems`,
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
          ),
        ]
      : []),
    ...(hasBoth
      ? [forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive")]
      : []),
    ...(type === "" || types.includes(type) ? [] : [unsupported(`${path}.type`, type, types)]),
    ...(listType === undefined || listTypes.includes(listType)
      ? []
      : [unsupported(`${path}.x-kubernetes-list-type`, listType, listTypes)]),
    ...(listType === "map" && !schema["x-kubernetes-list-map-keys"]?.length
      ? [required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map")]
      : []),
  ];
}

/** A field below another, and below what it stands. */
function validateField(
  schema: JSONSchemaProps,
  path: string,
  below: "object fields" | "array items",
): readonly Problem[] {
  return [
    ...(schema.type || isOpen(schema) ? [] : [required(`${path}.type`, `must not be empty for specified ${below}`)]),
    ...validateSchema(schema, path),
  ];
}

function validateSchema(schema: JSONSchemaProps, path: string): readonly Problem[] {
  const { properties = {}, items, additionalProperties } = schema;
  return [
    ...validateWords(schema, path),
    ...Object.entries(properties).flatMap(([name, inner]) =>
      validateField(inner, `${path}.properties[${name}]`, "object fields"),
    ),
    ...(isObject(additionalProperties)
      ? validateField(additionalProperties, `${path}.additionalProperties`, "object fields")
      : []),
    ...(isObject(items) ? validateField(items, `${path}.items`, "array items") : []),
    ...(schema.type === "array" && items === undefined ? [required(`${path}.items`, "must be specified")] : []),
    ...(Array.isArray(items) ? [forbidden(`${path}.items`, "items must be a schema object and not an array")] : []),
  ];
}

/** The schema of a whole object. */
export const validateRootSchema = (schema: JSONSchemaProps, path: string): readonly Problem[] => [
  ...(schema.type ? [] : [required(`${path}.type`, "must not be empty at the root")]),
  ...(schema.type && schema.type !== "object"
    ? [invalid(`${path}.type`, schema.type, "must be object at the root")]
    : []),
  ...(schema.nullable ? [forbidden(`${path}.nullable`, "nullable cannot be true at the root")] : []),
  ...validateSchema(schema, path),
];
