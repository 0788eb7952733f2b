// Formats the documentation of a kind or field, from the schemas of OpenAPI v3, as `explain` prints it.

/** A schema of OpenAPI v3, as far as it is shown. */
export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly enum?: readonly unknown[];
}
export interface SchemaDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}
/** What is explained. */
export interface Explained {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly path: readonly string[];
}

const width = 80;
const indent = "    ";

/** Breaks lines at spaces; the lines of the text stay apart. */
const wrapped = (text: string, prefix: string): string =>
  text
    .split("\n")
    .flatMap((line) => {
      const lines: string[] = [];
      let current = "";
      for (const [, space = "", word = ""] of line.matchAll(/(\s*)(\S+)/g)) {
        const isFull = current !== "" && prefix.length + current.length + space.length + word.length > width;
        if (isFull) lines.push(current);
        current = isFull ? word : current + space + word;
      }
      return [...lines, current];
    })
    .map((line) => `${prefix}${line}\n`)
    .join("");

/** The schemas of a document by reference. */
export class Schemas {
  readonly #schemas: Readonly<Record<string, Schema>>;
  constructor({ components }: SchemaDocument) {
    this.#schemas = components?.schemas ?? {};
  }

  /** The name of the schema that another one refers to. */
  refOf({ $ref, allOf }: Schema): string | undefined {
    const ref = $ref ?? (allOf?.length === 1 ? allOf[0]!.$ref : undefined);
    return ref?.slice(ref.lastIndexOf("/") + 1);
  }

  /** The schema that it refers to, or itself. */
  resolved(schema: Schema): Schema {
    const ref = this.refOf(schema);
    return ref === undefined ? schema : (this.#schemas[ref] ?? schema);
  }

  /** The schema of the objects in a list or map, through references. */
  element(schema: Schema): Schema {
    const own = this.resolved(schema);
    const inner = own.items ?? own.additionalProperties;
    return inner ? this.element(inner) : own;
  }

  typeName(schema: Schema): string {
    const ref = this.refOf(schema);
    if (ref !== undefined) {
      const { type = "object" } = this.resolved(schema);
      return type === "object" ? ref.slice(ref.lastIndexOf(".") + 1) : type;
    }
    if (schema.items) return `[]${this.typeName(schema.items)}`;
    if (schema.additionalProperties) return `map[string]${this.typeName(schema.additionalProperties)}`;
    return schema.type === undefined || schema.type === "object" ? "Object" : schema.type;
  }

  /** The description of a field, and that of the schema it refers to. */
  ownDescriptions(schema: Schema): readonly string[] {
    const ref = this.resolved(schema);
    const texts = [schema.description, ref === schema ? undefined : ref.description];
    return texts.filter((text): text is string => text !== undefined && text !== "");
  }

  /** With the descriptions of what a list or map contains. */
  descriptions(schema: Schema): readonly string[] {
    const { items, additionalProperties } = this.resolved(schema);
    const inner = items ?? additionalProperties;
    return [...this.ownDescriptions(schema), ...(inner ? this.descriptions(inner) : [])];
  }
}

const enumText = (values: readonly unknown[], limit: number): string => {
  const sorted = values.map((value) => (value === "" ? '""' : String(value))).toSorted();
  return sorted.length > limit ? `${sorted.slice(0, limit).join(", ")}, ....` : sorted.join(", ");
};

function fieldLine(name: string, schema: Schema, parent: Schema, schemas: Schemas): string {
  const required = parent.required?.includes(name) ? " -required-" : "";
  return `${name}\t<${schemas.typeName(schema)}>${required}`;
}

const propertiesOf = (schema: Schema): readonly (readonly [string, Schema])[] =>
  Object.entries(schema.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

const maxEnum = 4;

/** The fields of a schema with their descriptions. */
const fieldsText = (parent: Schema, schemas: Schemas): string =>
  propertiesOf(parent)
    .map(([name, schema]) => {
      const values = schemas.resolved(schema).enum;
      const [description = "<no description>"] = schemas.ownDescriptions(schema);
      return [
        `  ${fieldLine(name, schema, parent, schemas)}\n`,
        values ? `  enum: ${enumText(values, maxEnum)}\n` : "",
        `${wrapped(description, indent)}\n`,
      ].join("");
    })
    .join("");

/** The fields of a schema and of all below, without descriptions. Schemas that contain themselves end. */
const treeText = (parent: Schema, schemas: Schemas, depth: number, above: readonly Schema[]): string =>
  propertiesOf(parent)
    .map(([name, schema]) => {
      const prefix = "  ".repeat(depth);
      const element = schemas.element(schema);
      const values = schemas.resolved(schema).enum;
      const line = `${prefix}${fieldLine(name, schema, parent, schemas)}\n`;
      const enumeration = values ? `${prefix}enum: ${enumText(values, maxEnum)}\n` : "";
      const below = above.includes(element) ? "" : treeText(element, schemas, depth + 1, [...above, element]);
      return line + enumeration + below;
    })
    .join("");

/** The lines before what is explained. */
export const headText = ({ group, kind, version }: Explained): string =>
  `${group === "" ? "" : `GROUP:      ${group}\n`}KIND:       ${kind}\nVERSION:    ${version}\n\n`;

/** A field that does not exist, and those that do in its place. */
interface MissingField {
  readonly missing: string;
  readonly fields: readonly string[];
}

/** The schema at a path of fields, or the first field that does not exist. */
export function schemaAt(root: Schema, path: readonly string[], schemas: Schemas): Schema | MissingField {
  let schema = root;
  for (const name of path) {
    const { properties = {} } = schemas.element(schema);
    const next = properties[name];
    if (next === undefined) return { missing: name, fields: Object.keys(properties) };
    schema = next;
  }
  return schema;
}

/** The documentation of a schema. */
export function schemaText(schema: Schema, { path }: Explained, schemas: Schemas, isRecursive: boolean): string {
  const { enum: values } = schemas.resolved(schema);
  const name = path.at(-1);
  const title = name === undefined ? "" : `FIELD: ${name} <${schemas.typeName(schema)}>\n`;
  const choices = values
    ? `ENUM:\n${values
        .map((value) => `${indent}${value}\n`)
        .toSorted()
        .join("")}`
    : "\n";
  const descriptions = schemas.descriptions(schema);
  const texts = (descriptions.length === 0 ? ["<empty>"] : descriptions).map((text) => wrapped(text, indent));
  const element = schemas.element(schema);
  const fields =
    element.properties === undefined
      ? ""
      : `FIELDS:\n${isRecursive ? treeText(element, schemas, 1, [element]) : fieldsText(element, schemas)}`;
  return `${title}${name === undefined ? "" : `${choices}\n`}DESCRIPTION:\n${texts.join("")}${indent}\n${fields}\n`;
}
