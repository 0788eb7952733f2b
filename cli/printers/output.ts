// The output formats of `-o`: checks a format before anything is sent, and loads only the printer it names.
import { CliError } from "../cli-error.ts";
import type { CustomColumn } from "./custom-columns.ts";
import type { JsonPath } from "../../api/jsonpath/evaluate.ts";

/** The flags that choose a format. */
export interface OutputFlags {
  readonly output?: string;
  readonly template?: string;
  readonly allowMissingTemplateKeys?: boolean;
  readonly showManagedFields?: boolean;
  readonly noHeaders?: boolean;
}
/** Prints an object, or a List of objects, including the final line break. */
export type ObjectPrinter = (object: unknown) => string;

/** The formats of commands that print objects; `get` has more. */
export const objectFormats = [
  "go-template",
  "go-template-file",
  "json",
  "jsonpath",
  "jsonpath-as-json",
  "jsonpath-file",
  "kyaml",
  "name",
  "template",
  "templatefile",
  "yaml",
] as const;
/** The formats of `get`. */
export const getFormats: readonly string[] = [...objectFormats, "custom-columns", "custom-columns-file", "wide"].sort();

/** The formats without Go's templates, which only kubectl evaluates, as a list for the help. */
export const formatList = (formats: readonly string[] = objectFormats): string =>
  formats.filter((format) => !format.includes("template")).join(", ");

type PlainObject = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is PlainObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const itemsOf = (object: unknown): readonly unknown[] =>
  isObject(object) && Array.isArray(object["items"]) && String(object["kind"]).endsWith("List")
    ? object["items"]
    : [object];

/** An object, or the items of a list, without managed fields. */
function withoutManagedFields(object: unknown): unknown {
  if (!isObject(object)) return object;
  if (Array.isArray(object["items"])) return { ...object, items: object["items"].map(withoutManagedFields) };
  const { managedFields: _, ...metadata } = (object["metadata"] ?? {}) as PlainObject;
  return isObject(object["metadata"]) ? { ...object, metadata } : object;
}

/** `deployment.apps/web`. */
export function nameOf(object: unknown): string {
  const { apiVersion, kind, metadata } = object as {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly metadata?: { readonly name?: string };
  };
  const slash = apiVersion?.indexOf("/") ?? -1;
  const group = slash === -1 ? "" : `.${apiVersion!.slice(0, slash)}`;
  return `${(kind ?? "<unknown>").toLowerCase()}${group}/${metadata?.name || "<unknown>"}`;
}

const isWatchEvent = (value: unknown): value is { readonly type: string; readonly object: unknown } =>
  isObject(value) && "type" in value && "object" in value;

async function structured(format: "json" | "yaml" | "kyaml", flags: OutputFlags): Promise<ObjectPrinter> {
  const shown = (object: unknown): unknown => (flags.showManagedFields ? object : withoutManagedFields(object));
  if (format === "json") {
    const { compactJson, indentedJson } = await import("./json.ts");
    return (object) =>
      isWatchEvent(object)
        ? `{"type":${compactJson(object.type)},"object":${compactJson(object.object)}}\n`
        : `${indentedJson(shown(object))}\n`;
  }
  if (format === "kyaml") {
    const { kyamlText } = await import("./kyaml.ts");
    return (object) => kyamlText(shown(object));
  }
  const { yamlText } = await import("./yaml.ts");
  let isFirst = true;
  return (object) => {
    const separator = isFirst ? "" : "---\n";
    isFirst = false;
    return separator + yamlText(shown(object));
  };
}

async function templateText(argument: string, isFile: boolean): Promise<string> {
  if (argument === "") throw new CliError("template format specified but no template given");
  if (!isFile) return argument;
  const { readFile } = await import("node:fs/promises");
  return readFile(argument, "utf8").catch(() => {
    throw new CliError(`error reading --template ${argument}, open ${argument}: no such file or directory`);
  });
}

/** Evaluates a template. Throws CliError with the object, as kubectl does. */
async function jsonPathPrinter(format: string, argument: string, flags: OutputFlags): Promise<ObjectPrinter> {
  const template = await templateText(argument, format === "jsonpath-file");
  const { JsonPath } = await import("../../api/jsonpath/evaluate.ts");
  const { goSyntax } = await import("../../api/jsonpath/go-text.ts");
  const { pathJson, pathText } = await import("./jsonpath.ts");
  let path: JsonPath;
  try {
    path = new JsonPath(template, flags.allowMissingTemplateKeys !== false);
  } catch (error) {
    throw new CliError(`error parsing jsonpath ${template}, ${(error as Error).message}`);
  }
  return (object) => {
    try {
      return format === "jsonpath-as-json" ? pathJson(path, object) : pathText(path, object);
    } catch (error) {
      const { message } = error as Error;
      throw new CliError(
        `error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${goSyntax(object)}\n\n`,
      );
    }
  };
}

async function columnsPrinter(format: string, argument: string, flags: OutputFlags): Promise<ObjectPrinter> {
  const { customCells, customColumns, customColumnsFile } = await import("./custom-columns.ts");
  const { rememberingWriter, tableStyle } = await import("./tab-writer.ts");
  let columns: readonly CustomColumn[];
  if (format === "custom-columns-file" && argument !== "") {
    const { readFile } = await import("node:fs/promises");
    columns = customColumnsFile(
      await readFile(argument, "utf8").catch(() => {
        throw new CliError(`error reading template ${argument}, open ${argument}: no such file or directory`);
      }),
    );
  } else columns = customColumns(argument);
  const write = rememberingWriter(tableStyle);
  let hasHeader = flags.noHeaders === true;
  return (object) => {
    const header = hasHeader ? [] : [columns.map((column) => column.header)];
    hasHeader = true;
    return write([...header, ...itemsOf(object).map((item) => customCells(item, columns))]);
  };
}

function refuse(output: string, formats: readonly string[]): never {
  throw new CliError(
    `unable to match a printer suitable for the output format ${JSON.stringify(output)}, allowed formats are: ${formats.join(",")}`,
  );
}

/** The format and its argument: `jsonpath={.kind}`, or a format with `--template`. */
function splitFormat({ output = "", template = "" }: OutputFlags): readonly [format: string, argument: string] {
  const equals = output.indexOf("=");
  const isTemplate = /^(go-template|jsonpath|jsonpath-as-json|template|templatefile|custom-columns)(-file)?=/.test(
    output,
  );
  if (equals === -1 || !isTemplate) return [output === "" && template !== "" ? "go-template" : output, template];
  return [output.slice(0, equals), output.slice(equals + 1)];
}

/** The printer of a format. Throws CliError in kubectl's words for a format or template that is not valid. */
export async function objectPrinter(
  flags: OutputFlags,
  formats: readonly string[] = objectFormats,
): Promise<ObjectPrinter> {
  const [format, argument] = splitFormat(flags);
  if (!formats.includes(format)) refuse(flags.output ?? "", formats);
  switch (format) {
    case "json":
    case "yaml":
    case "kyaml":
      return structured(format, flags);
    case "name":
      return (object) =>
        itemsOf(object)
          .map((item) => `${nameOf(item)}\n`)
          .join("");
    case "jsonpath":
    case "jsonpath-as-json":
    case "jsonpath-file":
      return jsonPathPrinter(format, argument, flags);
    case "custom-columns":
    case "custom-columns-file":
      return columnsPrinter(format, argument, flags);
    default:
      await templateText(argument, false);
      throw new CliError(`${format} needs kubectl: use -o jsonpath or -o json | jq`);
  }
}
