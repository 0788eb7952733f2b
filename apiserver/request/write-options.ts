// How a write is meant, as its query says it: only to be tried, in whose name, how strictly to be read; and what is
// wrong with that.
import { forbidden, required, unsupported } from "../../api/problems.ts";
import type { Problem } from "../../api/errors.ts";
import { quoted } from "../../api/quoted.ts";
import { invalid as refused } from "../registry/refusals.ts";
import type { WriteOptions } from "../registry/verbs.ts";
import type { ApiRequest } from "./request-response.ts";
import { flag } from "./query.ts";

/** How strictly fields nobody knows are taken. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";
/** Tells the sender of a request what he should know although it goes well. */
export type Warn = (sentence: string) => void;

/** What a query says of a write. */
export interface WriteQuery {
  readonly options: WriteOptions;
  readonly validation: FieldValidation;
  /** Only an apply may be forced. */
  readonly force: boolean;
}

const longestManager = 128;
const validations: readonly string[] = ["", "Ignore", "Strict", "Warn"];

const isPrintable = (character: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character);

/** What is wrong with the name of a manager. */
export function managerProblems(manager: string, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (Buffer.byteLength(manager) > longestManager)
    problems.push({
      path,
      message: `Too long: may not be more than ${longestManager} bytes`,
      reason: "FieldValueTooLong",
    });
  let at = 0;
  for (const character of manager) {
    if (!isPrintable(character)) {
      const point = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
      const detail = `invalid character ${point} (at position ${at})`;
      problems.push({ path, message: `Invalid value: ${quoted(manager)}: ${detail}`, reason: "FieldValueInvalid" });
    }
    at += Buffer.byteLength(character);
  }
  return problems;
}

/** What is wrong with asking to try only. */
export const dryRunProblems = (given: readonly string[]): readonly Problem[] =>
  given.every((value) => value === "All") ? [] : [unsupported("dryRun", given, ["All"])];

/** Who does not name himself is called by the first word of his program's name. */
function managerOf(request: ApiRequest): string {
  const [first = ""] = (request.headers["user-agent"] ?? "").split("/");
  let name = "";
  for (const character of first)
    if (isPrintable(character) && Buffer.byteLength(name + character) <= longestManager) name += character;
  return name;
}

function forceProblems(query: URLSearchParams, patchType: string): readonly Problem[] {
  if (patchType !== "application/apply-patch+yaml")
    return query.has("force") ? [forbidden("force", "may not be specified for non-apply patch")] : [];
  return query.get("fieldManager") ? [] : [required("fieldManager", "is required for apply patch")];
}

/** What the query of a write says; what it must not say refuses it. */
export function writeQuery(request: ApiRequest, warn: Warn, patchType?: string): WriteQuery {
  const { query, method } = request;
  const manager = query.get("fieldManager") ?? "";
  const validation = query.get("fieldValidation") ?? "";
  const dryRun = query.getAll("dryRun");
  const problems = [
    ...(patchType === undefined ? [] : forceProblems(query, patchType)),
    ...managerProblems(manager, "fieldManager"),
    ...dryRunProblems(dryRun),
    ...(validations.includes(validation) ? [] : [unsupported("fieldValidation", validation, validations)]),
  ];
  const kind = { POST: "CreateOptions", PUT: "UpdateOptions" }[method] ?? "PatchOptions";
  if (problems.length > 0) throw refused({ group: "meta.k8s.io", kind, plural: "" }, "", problems);
  return {
    options: {
      dryRun: dryRun.length > 0,
      manager: manager || managerOf(request),
      user: request.user,
      warn,
      done: request.done,
    },
    validation: (validation || "Warn") as FieldValidation,
    force: flag(query, "force"),
  };
}
