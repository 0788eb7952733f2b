// Generates api/generated/: TypeScript types, schemas and documentation of the API, from the npm packages that contain
// them. The output is not committed: the texts stay in the packages of their authors.
import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { annotations, columnTexts } from "./annotations.ts";
import { factsOf, inOrder, unusedFacts, valuesOf, withFacts } from "./facts.ts";
import { readGroups, readModels, type Field, type Model } from "./models.ts";
import { publishedNames } from "./names.ts";
import {
  atomicMaps,
  atomicTypes,
  fieldlessObjects,
  granularTypes,
  keyedLists,
  patchKeys,
  quantities,
  replacedObjects,
  replacedSets,
  retainKeysObjects,
  setLists,
} from "./overlay.ts";
import { staleCheck } from "./stale-check.ts";

type Json = Readonly<Record<string, unknown>>;
const root = join(import.meta.dirname, "../..");
const client = join(root, "node_modules/@kubernetes/client-node");
const models = readModels(client);
const names = publishedNames(models, readGroups(client));
const known = models.filter((m) => names.has(m.className));

const last = (published: string): string => published.slice(published.lastIndexOf(".") + 1);
const classNames = new Set(models.map(({ className }) => className));
/** Without its version, unless a stable type has that name. */
const typeName = (className: string): string => {
  const name = className.replace(/^V1(alpha2)?(?=[A-Z])/, "");
  return className !== `V1${name}` && classNames.has(`V1${name}`) ? className : name;
};
const ref = (className: string): Json => ({ $ref: `#/components/schemas/${names.get(className)}` });

/** The schema of a field's type, without the facts of the overlay. */
function shape(type: string, format: string): Json {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return { type: "array", items: shape(list, format) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) return { type: "object", additionalProperties: shape(map, format) };
  switch (type) {
    case "string":
      return format === "" ? { type: "string" } : { type: "string", format };
    case "boolean":
      return { type: "boolean" };
    case "number":
      return { type: format === "double" ? "number" : "integer", ...(format === "" ? {} : { format }) };
    case "Date":
      return { type: "string", format: "date-time" };
    case "V1MicroTime":
      return { type: "string", format: "date-time-micro" };
    case "IntOrString":
      return { "x-kubernetes-int-or-string": true };
    case "any":
    case "object":
      return { "x-kubernetes-preserve-unknown-fields": true };
    default:
      return names.has(type) ? ref(type) : { "x-kubernetes-preserve-unknown-fields": true };
  }
}

function withOverlay(path: string, plain: Json): Json {
  const mergedBy = (key: string | undefined, strategy: string): Json => ({
    "x-kubernetes-patch-strategy": strategy,
    "x-kubernetes-patch-merge-key": key,
  });
  const keyed = keyedLists.get(path);
  if (keyed)
    return {
      ...plain,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": keyed.keys,
      ...(!keyed.applyOnly && mergedBy(keyed.keys[0], keyed.retainKeys ? "merge,retainKeys" : "merge")),
    };
  const patchKey = patchKeys[path];
  if (patchKey !== undefined) return { ...plain, "x-kubernetes-list-type": "atomic", ...mergedBy(patchKey, "merge") };
  if (replacedSets.has(path)) return { ...plain, "x-kubernetes-list-type": "set" };
  if (replacedObjects.has(path)) return { ...plain, "x-kubernetes-patch-strategy": "replace" };
  if (setLists.has(path)) return { ...plain, "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge" };
  if (fieldlessObjects.has(path)) return { type: "object", properties: {} };
  if (atomicMaps.has(path)) return { ...plain, "x-kubernetes-map-type": "atomic" };
  if (retainKeysObjects.has(path)) return { ...plain, "x-kubernetes-patch-strategy": "retainKeys" };
  if (quantities.has(path)) {
    const quantity = { type: "string", format: "quantity" };
    if (plain["type"] === "array") return { type: "array", items: quantity, "x-kubernetes-list-type": "atomic" };
    return plain["type"] === "object" ? { type: "object", additionalProperties: quantity } : quantity;
  }
  return plain["type"] === "array" ? { ...plain, "x-kubernetes-list-type": "atomic" } : plain;
}

const isKind = (m: Model): boolean =>
  ["apiVersion", "kind"].every((n) => m.fields.some((f) => f.name === n)) &&
  m.fields.some((f) => f.type === "V1ObjectMeta");

/** Whether decoding sets the field when a client leaves it out: required fields, and the spec of a kind. */
const isNeeded = (m: Model, f: Field): boolean => f.required || (isKind(m) && f.name === "spec");

function schema(model: Model): Json {
  const published = names.get(model.className)!;
  const name = last(published);
  const required = model.fields.filter((f) => f.required).map((f) => f.name);
  return {
    type: "object",
    properties: Object.fromEntries(
      inOrder(published, model.fields).map((f) => [
        f.name,
        withFacts(published, f.name, withOverlay(`${name}.${f.name}`, shape(f.type, f.format)), isNeeded(model, f)),
      ]),
    ),
    ...factsOf(published, ""),
    ...(required.length > 0 ? { required } : {}),
    ...(atomicTypes.has(name) && !granularTypes.has(published) ? { "x-kubernetes-map-type": "atomic" } : {}),
  };
}

function tsType(type: string): string {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return `readonly ${/^\w+$/.test(tsType(list)) ? tsType(list) : `(${tsType(list)})`}[]`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) return `Readonly<Record<string, ${tsType(map)}>>`;
  if (type === "Date" || type === "V1MicroTime") return "string";
  if (type === "IntOrString") return "number | string";
  if (["string", "number", "boolean"].includes(type)) return type;
  if (type === "V1ObjectMeta") return "DraftMeta";
  return names.has(type) ? typeName(type) : "unknown";
}

function tsField(model: Model, f: Field): string {
  if (isKind(model)) {
    if (f.name === "apiVersion") return "  readonly apiVersion: string;";
    if (f.name === "kind") return `  readonly kind: "${last(names.get(model.className)!)}";`;
    if (f.name === "metadata") return "  readonly metadata: ObjectMeta;";
    if (f.name === "spec") return `  readonly spec: ${tsType(f.type)};`;
  }
  const values = valuesOf(names.get(model.className)!, f.name);
  const union = values?.map((value) => JSON.stringify(value)).join(" | ");
  const type = union === undefined ? tsType(f.type) : tsType(f.type) === "string" ? union : `readonly (${union})[]`;
  return `  readonly ${/^\w+$/.test(f.name) ? f.name : `"${f.name}"`}${f.required ? "" : "?"}: ${type};`;
}

const types = [
  "// Generated from @kubernetes/client-node; do not edit. Wire types of the stable API.",
  'import type { DraftMeta, ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../meta.ts";',
  ...known
    .filter(
      (m) =>
        !["V1ObjectMeta", "V1OwnerReference", "V1ManagedFieldsEntry"].includes(m.className) &&
        !m.className.endsWith("List"),
    )
    .map((m) => `export interface ${typeName(m.className)} {\n${m.fields.map((f) => tsField(m, f)).join("\n")}\n}`),
];
const schemas = Object.fromEntries(known.map((m) => [names.get(m.className)!, schema(m)]));
const unused = unusedFacts();
if (unused.length > 0) throw new Error(`overlays name fields that are not published: ${unused.join(", ")}`);
const annotated = annotations(known, names, { client, types: join(root, "node_modules/kubernetes-types") });

const out = join(root, "api/generated");
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "types.ts"), `${types.join("\n\n")}\n`);
writeFileSync(join(out, "schemas.json"), JSON.stringify(schemas));
writeFileSync(join(out, "columns.json"), JSON.stringify(columnTexts(annotated)));
writeFileSync(join(out, "annotations.json"), JSON.stringify(annotated));
// Last: the launcher takes its time for that of the other files.
const sources = globSync(["cli/setup/*.ts", "api/**/*overlay.ts"], { cwd: root });
writeFileSync(join(out, "sources.sh"), staleCheck("api/generated/sources.sh", sources));
