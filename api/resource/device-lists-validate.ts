// What can be wrong with lists, sets and words that are common to devices, claims and slices.
import type { Problem } from "../errors.ts";
import type { DeviceToleration } from "../generated/types.ts";
import { validateLabelValue } from "../names.ts";
import { duplicate, each, invalid } from "../problems.ts";

type Each<T> = (item: T, path: string) => readonly Problem[];

/** A list of which no two items may have the same key. */
export const validateSet = <T>(list: readonly T[], path: string, validate: Each<T>, key: (item: T) => string) => {
  const keys = list.map(key);
  return [
    ...each(list, path, validate),
    ...keys.flatMap((k, i) => (keys.indexOf(k) < i ? [duplicate(`${path}[${i}]`, k)] : [])),
  ];
};

/** What of a taint a claim puts up with. */
export function validateDeviceToleration({ operator, value = "" }: DeviceToleration, path: string): readonly Problem[] {
  if (operator === "Equal") return validateLabelValue(value, `${path}.value`);
  return operator !== "Exists" || value === ""
    ? []
    : [invalid(`${path}.value`, value, "must be empty for operator `Exists`")];
}

interface Bindable {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** What must come true before a pod is bound, and what it fails by: either both are said, or none. */
export function validateBinding(device: Bindable, path: string): readonly Problem[] {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = device;
  const [ofGood, ofBad] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const overlap = "bindingFailureConditions must not overlap with bindingConditions";
  return [
    ...bad.flatMap((c, i) => (good.includes(c) ? [invalid(`${ofBad}[${i}]`, c, overlap)] : [])),
    ...(good.length === 0 && bad.length > 0
      ? [invalid(ofGood, good, "bindingConditions are required to use bindingFailureConditions")]
      : []),
    ...(bad.length === 0 && good.length > 0
      ? [invalid(ofBad, bad, "bindingFailureConditions are required to use bindingConditions")]
      : []),
  ];
}
