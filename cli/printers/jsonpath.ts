// Prints the results of kubectl's dialect of JSONPath.
import { scalarText } from "../../api/jsonpath/go-text.ts";
import type { JsonPath } from "../../api/jsonpath/evaluate.ts";
import { compactJson, indentedJson } from "./json.ts";

/** The text of a template; values of one part are separated by spaces. */
export const pathText = (path: JsonPath, object: unknown): string =>
  path
    .results(object)
    .map((values) =>
      values.map((v) => (typeof v === "object" && v !== null ? compactJson(v) : scalarText(v))).join(" "),
    )
    .join("");

/** Each part's values as a JSON list. */
export const pathJson = (path: JsonPath, object: unknown): string =>
  path
    .results(object)
    .map((values) => `${indentedJson(values)}\n`)
    .join("");
