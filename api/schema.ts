// Structural schemas of built-in kinds and custom resources, and decoding by them: types, pruning of unknown fields,
// canonical quantities and times.
import generated from "./generated/schemas.json" with { type: "json" };
import { canonicalQuantity } from "./quantity.ts";
import { canonicalTime, timeError } from "./times.ts";

/**
 * A structural schema as Kubernetes defines it, plus the facts of the built-in kinds that its published form lacks.
 * Source: the API reference of JSONSchemaProps; KEP-5073 (declarative validation) for the second half.
 */
export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly format?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message?: string }[];

  /** Go's zero value means "not set": it takes the default, and is not held against an enum. */
  readonly omitZero?: boolean;
  /** An empty list or map is written down although the field is optional. */
  readonly keepEmpty?: boolean;
  /** Must not be empty; a text is the detail of the message. */
  readonly nonEmpty?: boolean | string;
  /** Inclusive bounds, and the details of the messages where they are not the usual ones; one alone is for both. */
  readonly bounds?: readonly [least: number, most?: number | null, detail?: string, above?: string];
  /** Items are unique, or unique by these fields; a duplicate by a single name is reported at the item. */
  readonly unique?: true | string | readonly string[];
  /** A value that is equal to the old one is not validated again. */
  readonly ratcheting?: boolean;
  /** Cannot change after creation; a text is the detail of the message. */
  readonly immutable?: boolean | string;
  /** Cannot change after creation; a change is the only problem that is reported of the field. */
  readonly frozen?: boolean;
  /** One of these fields, or of all that are not required, is set: the details where none is, and where more are. */
  readonly union?: { readonly members?: readonly string[]; readonly none?: string; readonly more?: string };
  /** Problems of the items are reported at the list itself. */
  readonly itemsAtList?: boolean;
  /** The enum is documentation: other values are accepted here. */
  readonly open?: boolean;
  /** Not validated at this place, because code validates it in its context. */
  readonly unchecked?: boolean;
  /**
   * Of a custom resource. Decoding only prunes: a value of a wrong type is kept for validation, and lists, texts and
   * nulls stay as they were sent.
   */
  readonly custom?: boolean;
  /** A format of OpenAPI that texts of custom resources are validated by. */
  readonly openApiFormat?: string;
  /** The name by which messages call a type that is not published. */
  readonly goName?: string;
}

const prefix = "#/components/schemas/";
const published = generated as unknown as Readonly<Record<string, Schema>>;
const definitions = new Map<string, Schema>();
const typeNames = new WeakMap<Schema, string>();
/** The schema behind a reference. Read on first use: a command needs those of the kinds in its manifests. */
function definitionOf(reference: string): Schema | undefined {
  const known = definitions.get(reference);
  if (known) return known;
  const name = reference.slice(prefix.length);
  const schema = Object.hasOwn(published, name) ? published[name] : undefined;
  if (schema === undefined) return undefined;
  definitions.set(reference, schema);
  typeNames.set(schema, name.slice(name.lastIndexOf(".") + 1));
  return schema;
}

function referred(reference: string): Schema {
  const found = definitionOf(reference);
  if (!found) throw new Error(`no schema is published as ${reference.slice(prefix.length)}`);
  return found;
}
/** The schema published under a name such as `io.k8s.api.core.v1.Pod`. Throws for an unknown name. */
export const schemaOf = (name: string): Schema => referred(prefix + name);

/** The schema of a kind, or undefined when none is published under the usual name of its group. */
export const schemaOfKind = (apiVersion: string, kind: string): Schema | undefined => {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  return definitionOf(`${prefix}io.k8s.api.${group!.split(".")[0]}.${version}.${kind}`);
};

/** Follow a reference, if the schema is one. */
export const resolve = (schema: Schema): Schema => (schema.$ref === undefined ? schema : referred(schema.$ref));

/** The enum of a field of a published type, or of its items. */
export function valuesOf(published: string, field: string): readonly string[] {
  const schema = schemaOf(published).properties?.[field];
  return ((schema?.enum ?? schema?.items?.enum) as readonly string[] | undefined) ?? [];
}

/** The short name of the type behind a reference, or of a published type, as messages call it: `PodSpec`. */
export const typeNameOf = (schema: Schema): string => typeNames.get(resolve(schema)) ?? "";

/** A value of the wrong type, with the messages of Kubernetes' two decoders. */
export interface Mismatch {
  /** `spec.containers[0].image`. */
  readonly path: string;
  /** The error for a request body. */
  readonly read: string;
  /** The error for the result of a patch. */
  readonly converted: string;
}
export interface Decoded {
  /** The value without unknown fields and nulls, quantities in canonical form. */
  readonly value: unknown;
  /** Paths of fields the schema does not have, as Kubernetes writes them: `spec.containers[0].imagee`. */
  readonly unknown: readonly string[];
  /** Values that have the wrong type. */
  readonly wrong: readonly Mismatch[];
}

type Json = Readonly<Record<string, unknown>>;
interface Walk {
  readonly unknown: string[];
  readonly wrong: Mismatch[];
  /** Whether places are recorded. */
  readonly tracksPath: boolean;
}
/** A place in a value: the place above, the step from there, and the type that owns the field. */
interface Place {
  readonly above?: Place;
  readonly step: string;
  readonly by: "field" | "key" | "item";
  readonly owner: string;
}
const top: Place = { step: "", by: "item", owner: "" };

/** `spec.containers[0].image`. */
function pathTo({ above, step, by }: Place): string {
  if (above === undefined) return "";
  const path = pathTo(above);
  if (by === "item") return `${path}[${step}]`;
  return path === "" ? step : `${path}.${step}`;
}
/** `spec.containers.image`: neither which item nor under which key. */
function fieldsTo({ above, step, by }: Place): string {
  if (above === undefined) return "";
  const fields = fieldsTo(above);
  if (by !== "field") return fields;
  return fields === "" ? step : `${fields}.${step}`;
}

const jsonType = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

const goTypes: Readonly<Record<string, string>> = {
  integer: "int64",
  boolean: "bool",
  number: "float64",
  object: "map[string]interface {}",
};
function goType(schema: Schema): string {
  if (schema.$ref !== undefined) return `${schema.$ref.split(".").at(-2)}.${typeNameOf(schema)}`;
  if (schema.goName !== undefined) return `v1.${schema.goName}`;
  if (schema.type === "array") return `[]${goType(schema.items ?? {})}`;
  if (schema.type === "object" && schema.additionalProperties)
    return `map[string]${goType(schema.additionalProperties)}`;
  return schema.format === "int32" ? "int32" : (goTypes[schema.type ?? ""] ?? "string");
}

function unconverted(value: unknown, schema: Schema): string {
  const found = { array: "slice", object: "map", number: Number.isInteger(value) ? "int64" : "float64" }[
    jsonType(value)
  ];
  const from = found ?? jsonType(value);
  if (schema.type === "array") return `cannot restore slice from ${from}`;
  if (schema.$ref !== undefined) return `cannot restore struct from: ${from}`;
  if (schema.type === "object") return `cannot restore map from ${from}`;
  const to = goType(schema);
  // Go could convert between numbers and strings, and Kubernetes reports that it does not.
  const near = typeof value === "number" && (to === "string" || to.startsWith("int"));
  return near ? `cannot convert ${from} to ${to}` : `unrecognized type: ${to}`;
}

function mismatch(value: unknown, schema: Schema, at: Place, walk: Walk): undefined {
  const inWholes = schema.type === "integer" && typeof value === "number";
  const found = inWholes ? `number ${value}` : jsonType(value);
  const fields = fieldsTo(at);
  const where = fields === "" ? "Go value" : `Go struct field ${at.owner}.${fields}`;
  walk.wrong.push({
    path: pathTo(at),
    read: `json: cannot unmarshal ${found} into ${where} of type ${goType(schema)}`,
    converted: unconverted(value, schema),
  });
  return undefined;
}

/** A custom resource keeps a null that is not allowed for validation, unless there is a default for it. */
const keepsNull = ({ nullable, custom, default: fallback }: Schema, value: null | undefined): boolean =>
  value === null && (nullable === true || (custom === true && fallback === undefined));

/** The object of a field: its schema and its path. */
interface Within {
  readonly full: Schema;
  readonly at: Place;
  readonly owner: string;
}
/** A decoded field; undefined where it is dropped. */
function decodeField(name: string, inner: unknown, { full, at, owner }: Within, walk: Walk, known: unknown): unknown {
  const { properties } = full;
  const own = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
  const field = own ?? full.additionalProperties;
  if (field === undefined) {
    if (full["x-kubernetes-preserve-unknown-fields"] === true) return inner;
    walk.unknown.push(pathTo({ above: at, step: name, by: "field", owner }));
    return undefined;
  }
  if (inner === null || inner === undefined) return keepsNull(field, inner) ? null : undefined;
  const place: Place = walk.tracksPath ? { above: at, step: name, by: own ? "field" : "key", owner } : at;
  const read = decodeInto(inner, field, place, walk, known);
  return own && isOmitted(read, field, name, full) ? undefined : read;
}

/** The object decoded: itself where nothing changes, else a copy. */
function decodeObject(value: Json, schema: Schema, at: Place, walk: Walk, known?: Json): Json {
  const within = {
    full: resolve(schema),
    at,
    owner: walk.tracksPath ? (schema.$ref === undefined ? (schema.goName ?? at.owner) : typeNameOf(schema)) : "",
  };
  const names = Object.keys(value);
  let out: Record<string, unknown> | undefined;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const inner = value[name];
    const read = decodeField(name, inner, within, walk, known?.[name]);
    if (out === undefined && read === inner && read !== undefined) continue;
    out ??= Object.fromEntries(names.slice(0, i).map((before) => [before, value[before]]));
    if (read !== undefined) out[name] = read;
  }
  return out ?? value;
}

/** The list decoded: itself where nothing changes, else a copy. */
function decodeItems(
  value: readonly unknown[],
  full: Schema,
  at: Place,
  walk: Walk,
  known: unknown,
): readonly unknown[] {
  const items = full.items ?? {};
  const before = Array.isArray(known) ? known : [];
  let out: unknown[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const place: Place = walk.tracksPath ? { above: at, step: String(i), by: "item", owner: at.owner } : at;
    const read = decodeInto(value[i], items, place, walk, before[i]);
    if (out === undefined && read === value[i]) continue;
    out ??= value.slice(0, i);
    out.push(read);
  }
  return out ?? value;
}

/** Go omits an empty list or map of an optional field (`omitempty`). */
function isOmitted(value: unknown, schema: Schema, name: string, owner: Schema): boolean {
  if (typeof value !== "object" || value === null || schema.keepEmpty === true || schema.custom === true) return false;
  const isEmpty = Array.isArray(value) ? value.length === 0 : schema.additionalProperties && isBare(value);
  return isEmpty === true && !(owner.required?.includes(name) ?? false);
}
function isBare(value: object): boolean {
  for (const _ in value) return false;
  return true;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
function reject(message: string, at: Place, walk: Walk): undefined {
  walk.wrong.push({ path: pathTo(at), read: message, converted: message });
  return undefined;
}
/** Go reports the first byte that is not base64: a foreign character, or the start of an incomplete last group. */
function base64Error(text: string): string {
  const foreign = text.search(/[^A-Za-z0-9+/]/);
  return `illegal base64 data at input byte ${foreign < 0 ? text.length - (text.length % 4) : foreign}`;
}

const int32: Schema = { type: "integer", format: "int32" };
function decodeScalar(value: unknown, schema: Schema, at: Place, walk: Walk): unknown {
  if (schema["x-kubernetes-int-or-string"] === true)
    return typeof value === "string" || Number.isInteger(value) ? value : mismatch(value, int32, at, walk);
  switch (schema.type) {
    case "string":
      if (schema.format === "quantity" && (typeof value === "string" || typeof value === "number"))
        return canonicalQuantity(value);
      if (typeof value !== "string") return mismatch(value, schema, at, walk);
      if (schema.format === "byte") return base64.test(value) ? value : reject(base64Error(value), at, walk);
      if (schema.format === "date-time" || schema.format === "date-time-micro")
        return canonicalTime(value, schema.format) ?? reject(timeError(value, schema.format), at, walk);
      return value;
    case "boolean":
      return typeof value === "boolean" ? value : mismatch(value, schema, at, walk);
    case "integer":
      return Number.isInteger(value) ? value : mismatch(value, schema, at, walk);
    case "number":
      return typeof value === "number" ? value : mismatch(value, schema, at, walk);
    default:
      return value;
  }
}

/** Prunes a part of a custom resource. */
function prune(value: unknown, schema: Schema, at: Place, walk: Walk, known: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return schema.items ? decodeItems(value, schema, at, walk, known) : value;
  return schema.type === "object" || schema.properties
    ? decodeObject(value as Json, schema, at, walk, known as Json | undefined)
    : value;
}

function decodeInto(value: unknown, schema: Schema, at: Place, walk: Walk, known?: unknown): unknown {
  // An identical part was decoded before.
  if (value === known) return value;
  const full = resolve(schema);
  if (full.custom) return prune(value, full, at, walk, known);
  if (full.type === "array")
    return Array.isArray(value) ? decodeItems(value, full, at, walk, known) : mismatch(value, full, at, walk);
  if (full.type === "object") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return mismatch(value, schema, at, walk);
    return decodeObject(value as Json, schema, at, walk, known as Json | undefined);
  }
  return decodeScalar(value, full, at, walk);
}

/**
 * Decodes a parsed JSON value by its schema. Parts that are identical to those of `known`, which was decoded by the
 * same schema, are not decoded again.
 */
export function decode(schema: Schema, value: unknown, known?: unknown): Decoded {
  const walk = (tracksPath: boolean): Decoded => {
    const found: Walk = { unknown: [], wrong: [], tracksPath };
    return { value: decodeInto(value, schema, top, found, known), unknown: found.unknown, wrong: found.wrong };
  };
  // Most values have no errors, so places are recorded only in a second pass, when there are some.
  const decoded = walk(false);
  return decoded.unknown.length + decoded.wrong.length === 0 ? decoded : walk(true);
}
