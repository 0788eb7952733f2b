// Prints objects in columns that the user chose: `-o custom-columns=NAME:.metadata.name`.
import { CliError } from "../cli-error.ts";
import { JsonPath } from "../../api/jsonpath/evaluate.ts";
import { goText } from "../../api/jsonpath/go-text.ts";
import { relaxedPath } from "../../api/jsonpath/parse.ts";

export interface CustomColumn {
  readonly header: string;
  readonly path: JsonPath;
}

function column(header: string, spec: string): CustomColumn {
  try {
    return { header, path: new JsonPath(relaxedPath(spec), true) };
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}

/** Parses `NAME:.metadata.name,...`. Throws CliError in kubectl's words. */
export function customColumns(spec: string): readonly CustomColumn[] {
  if (spec === "") throw new CliError("custom-columns format specified but no custom columns given");
  return spec.split(",").map((part) => {
    const colon = part.indexOf(":");
    if (colon === -1) throw new CliError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return column(part.slice(0, colon), part.slice(colon + 1));
  });
}

/** Parses a file with a line of headers and a line of paths. Throws CliError in kubectl's words. */
export function customColumnsFile(text: string): readonly CustomColumn[] {
  const [headers = [], specs = []] = text.split("\n").map((line) =>
    line
      .trim()
      .split(/\s+/)
      .filter((w) => w !== ""),
  );
  const missing = headers.length === 0 ? "header" : specs.length === 0 ? "spec" : undefined;
  if (missing !== undefined)
    throw new CliError(
      `invalid template, missing ${missing} line. Expected format is one line of space separated headers, one line of space separated column specs.`,
    );
  if (headers.length !== specs.length)
    throw new CliError(`number of headers (${headers.length}) and field specifications (${specs.length}) don't match`);
  return headers.map((header, i) => column(header, specs[i]!));
}

/** The cells of an object. Several values of one path are separated by commas. */
export const customCells = (object: unknown, columns: readonly CustomColumn[]): readonly string[] =>
  columns.map(({ path }) => {
    const values = path.results(object).flat();
    return values.length === 0 ? "<none>" : values.map(goText).join(",");
  });
