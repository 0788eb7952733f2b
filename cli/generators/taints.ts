// `taint`: taints to set and to remove, and the taints of a node afterwards.
import { validateLabelValue, validateQualifiedName } from "../../api/names.ts";
import { detailOf } from "../../api/problems.ts";
import { CliError } from "../cli-error.ts";

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}
/** Taints to remove have no value; without an effect, all of the key. */
export interface TaintChanges {
  readonly set: readonly Taint[];
  readonly remove: readonly Taint[];
}

const effects: readonly string[] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const misuse = (message: string): CliError => new CliError(message, "See 'orrery taint -h' for help and examples");

/** `key=value:effect`, `key:effect` or `key-`: what is not the name of a node. */
export const isTaint = (arg: string): boolean => /[=:]/.test(arg) || (arg.endsWith("-") && arg.length > 1);

function taintOf(text: string): Taint {
  const [pair = "", effect = "", ...more] = text.split(":");
  const at = pair.indexOf("=");
  // Without an effect, `x=y` is read as a key, which it cannot be.
  const key = at < 0 || effect === "" ? pair : pair.slice(0, at);
  const value = at < 0 || effect === "" ? "" : pair.slice(at + 1);
  if (more.length > 0) throw misuse(`invalid taint spec: ${text}`);
  const [problem] = [...validateQualifiedName(key, ""), ...validateLabelValue(value, "")];
  if (problem) throw misuse(`invalid taint spec: ${text}, ${detailOf(problem)}`);
  if (effect !== "" && !effects.includes(effect))
    throw misuse(`invalid taint effect: ${effect}, unsupported taint effect`);
  return { key, ...(value !== "" && { value }), effect };
}

const isSame = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
/** Whether a removal is about a taint. */
const removes = (removal: Taint, taint: Taint): boolean =>
  removal.key === taint.key && (removal.effect === "" || removal.effect === taint.effect);

/** The changes of arguments. Throws CliError in kubectl's words. */
export function taintChanges(texts: readonly string[]): TaintChanges {
  const set: Taint[] = [];
  for (const text of texts.filter((each) => !each.endsWith("-"))) {
    const taint = taintOf(text);
    if (set.some((other) => isSame(other, taint)))
      throw misuse(
        `duplicated taints with the same key and effect: {${taint.key} ${taint.value ?? ""} ${taint.effect} <nil>}`,
      );
    set.push(taint);
  }
  const remove = texts.filter((each) => each.endsWith("-")).map((text) => taintOf(text.slice(0, -1)));
  const both = set.filter((taint) => remove.some((removal) => removes(removal, taint)));
  if (both.length > 0) {
    const shown = both.map(({ key, effect }) => `${key}=${effect}`).join(", ");
    throw new CliError(`can not both modify and remove the following taint(s) in the same command: ${shown}`);
  }
  return { set, remove };
}

/** Throws CliError for taints that would be replaced without `--overwrite`. */
export function checkTaintOverwrite(node: string, before: readonly Taint[], { set }: TaintChanges): void {
  const known = set.filter((taint) => before.some((other) => isSame(other, taint))).map(({ key }) => key);
  if (known.length > 0)
    throw new CliError(
      `node ${node} already has ${known.join(",")} taint(s) with same effect(s) and --overwrite is false`,
    );
}

/** The taints after the changes, new ones first, and what happened. Throws CliError for a removal without a taint. */
export function changedTaints(
  before: readonly Taint[],
  { set, remove }: TaintChanges,
): { readonly taints: readonly Taint[]; readonly operation: "tainted" | "untainted" | "modified" } {
  const joined = [...set, ...before.filter((taint) => !set.some((other) => isSame(other, taint)))];
  for (const removal of remove) {
    if (joined.some((taint) => removes(removal, taint))) continue;
    throw new CliError(`taint "${removal.key}${removal.effect === "" ? "" : `:${removal.effect}`}" not found`);
  }
  const taints = joined.filter((taint) => !remove.some((removal) => removes(removal, taint)));
  const added = joined.length !== before.length;
  const deleted = taints.length !== joined.length;
  return { taints, operation: added && deleted ? "modified" : deleted ? "untainted" : "tainted" };
}
