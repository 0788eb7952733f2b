// `label` and `annotate`: pairs to set and keys to remove.
import { validateLabelValue } from "../../api/names.ts";
import { detailOf } from "../../api/problems.ts";
import { CliError } from "../cli-error.ts";

export interface PairChanges {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}
type Pairs = Readonly<Record<string, string>>;

/** `a=b` or `a-`. */
const isChange = (arg: string): boolean => arg.indexOf("=") > 0 || (arg.endsWith("-") && arg.length > 1);

/** Splits arguments into those that name resources and those that change pairs. */
export function splitChanges(
  args: readonly string[],
  what: string,
): { readonly resources: readonly string[]; readonly changes: readonly string[] } {
  const at = args.findIndex(isChange);
  if (at < 0) return { resources: args, changes: [] };
  const late = args.slice(at).find((arg) => !isChange(arg));
  if (late !== undefined) throw new CliError(`all resources must be specified before ${what} changes: ${late}`);
  return { resources: args.slice(0, at), changes: args.slice(at) };
}

function labelPair(text: string): readonly [string, string] {
  const [key = "", value = "", ...more] = text.split("=");
  if (more.length > 0) throw new CliError(`invalid label spec: ${text}`);
  const [problem] = validateLabelValue(value, "");
  if (problem) throw new CliError(`invalid label value: ${JSON.stringify(text)}: ${detailOf(problem)}`);
  return [key, value];
}

const annotationPair = (text: string): readonly [string, string] => {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
};

/** The changes of arguments. Throws CliError in kubectl's words. */
export function pairChanges(texts: readonly string[], what: "label" | "annotation"): PairChanges {
  const pairs = texts.filter((text) => text.includes("=")).map(what === "label" ? labelPair : annotationPair);
  const remove = texts.filter((text) => !text.includes("=")).map((text) => text.slice(0, -1));
  const both = pairs.map(([key]) => key).filter((key) => remove.includes(key));
  if (both.length > 0)
    throw new CliError(
      what === "label"
        ? "can not both modify and remove a label in the same command"
        : `can not both modify and remove the following annotation(s) in the same command: ${both.join(", ")}`,
    );
  return { set: Object.fromEntries(pairs), remove };
}

/** Throws CliError for values that would be replaced without `--overwrite`. */
export function checkOverwrite(before: Pairs, { set }: PairChanges, what: "label" | "annotation"): void {
  const replaced = Object.entries(set).filter(([key, value]) => key in before && before[key] !== value);
  const texts = replaced.map(([key]) => `'${key}' already has a value (${before[key]})`);
  if (texts.length === 0) return;
  if (what === "label") throw new CliError(`${texts[0]}, and --overwrite is false`);
  throw new CliError(
    `--overwrite is false but found the following declared annotation(s): ${texts.toSorted().join("; ")}`,
  );
}

/** The pairs after the changes. */
export const changedPairs = (before: Pairs, { set, remove }: PairChanges): Pairs =>
  Object.fromEntries(Object.entries({ ...before, ...set }).filter(([key]) => !remove.includes(key)));
