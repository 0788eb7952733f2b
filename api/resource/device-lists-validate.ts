// What can be wrong with lists, sets and words that are common to devices, claims and slices.
import type { Problem } from "../errors.ts";
import type { DeviceTaint, DeviceToleration } from "../generated/types.ts";
import { validateLabelValue, validateQualifiedName } from "../names.ts";
import { duplicate, each, invalid, oneOf, required, tooLong, tooMany, unfit, unsupported } from "../problems.ts";

type Each<T> = (item: T, path: string) => readonly Problem[];

/** A list of bounded length, of which each is judged by itself; of one that is too long nothing more is said. */
export const validateEach = <T>(
  list: readonly T[] | undefined,
  path: string,
  bound: number,
  validate: Each<T>,
): readonly Problem[] =>
  (list?.length ?? 0) > bound ? [tooMany(path, list!.length, bound)] : each(list, path, validate);

/** The same, where no two may have the same key. */
export function validateSet<T>(
  list: readonly T[] | undefined,
  path: string,
  bound: number,
  validate: Each<T>,
  key: (item: T) => string,
): readonly Problem[] {
  if ((list?.length ?? 0) > bound) return validateEach(list, path, bound, validate);
  const keys = (list ?? []).map(key);
  return [
    ...validateEach(list, path, bound, validate),
    ...keys.flatMap((k, i) => (keys.indexOf(k) < i ? [duplicate(`${path}[${i}]`, k)] : [])),
  ];
}

/** Words only a driver knows: an object, and not too much of it. */
export function validateRaw(value: unknown, path: string, longest: number): readonly Problem[] {
  if (value === undefined || value === null) return [required(path)];
  if (JSON.stringify(value).length > longest) return [tooLong(path, longest)];
  return typeof value === "object" && !Array.isArray(value)
    ? []
    : [unfit(path, '"<value omitted>": must be a valid JSON object')];
}

const effects = ["NoExecute", "NoSchedule", "None"];
const operators = ["Equal", "Exists"];

/** What keeps claims away from a device. */
export const validateDeviceTaint = (t: DeviceTaint, path: string): readonly Problem[] => [
  ...validateQualifiedName(t.key ?? "", `${path}.key`),
  ...validateLabelValue(t.value ?? "", `${path}.value`),
  ...(t.effect ? oneOf(t.effect, `${path}.effect`, effects) : [required(`${path}.effect`)]),
];

function validateTolerated({ operator, value = "" }: DeviceToleration, path: string): readonly Problem[] {
  if (!operator) return [required(`${path}.operator`)];
  if (!operators.includes(operator)) return [unsupported(`${path}.operator`, operator, operators)];
  if (operator === "Equal") return validateLabelValue(value, `${path}.value`);
  return value === "" ? [] : [invalid(`${path}.value`, value, "must be empty for operator `Exists`")];
}

/** What of that a claim puts up with. */
export const validateDeviceToleration = (t: DeviceToleration, path: string): readonly Problem[] => [
  ...(t.key ? validateQualifiedName(t.key, `${path}.key`) : []),
  ...validateTolerated(t, path),
  ...(t.effect ? oneOf(t.effect, `${path}.effect`, effects) : []),
];

const mostConditions = 4;

interface Bindable {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** What must come true before a pod is bound, and what it fails by: either both are said, or none. */
export function validateBinding(device: Bindable, path: string): readonly Problem[] {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = device;
  const [ofGood, ofBad] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const twice = (list: readonly string[], at: string): readonly Problem[] =>
    list.flatMap((c, i) => (list.indexOf(c) < i ? [duplicate(`${at}[${i}]`, c)] : []));
  const overlap = "bindingFailureConditions must not overlap with bindingConditions";
  return [
    ...validateEach(good, ofGood, mostConditions, validateQualifiedName),
    ...validateEach(bad, ofBad, mostConditions, validateQualifiedName),
    ...twice(good, ofGood),
    ...twice(bad, ofBad),
    ...bad.flatMap((c, i) => (good.includes(c) ? [invalid(`${ofBad}[${i}]`, c, overlap)] : [])),
    ...(good.length === 0 && bad.length > 0
      ? [invalid(ofGood, good, "bindingConditions are required to use bindingFailureConditions")]
      : []),
    ...(bad.length === 0 && good.length > 0
      ? [invalid(ofBad, bad, "bindingFailureConditions are required to use bindingConditions")]
      : []),
  ];
}
