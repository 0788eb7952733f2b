// What can be wrong with how much of a device may be asked for at once. Source: KEP-5075 (consumable capacity).
import type { Problem } from "../errors.ts";
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from "../generated/types.ts";
import { forbidden, invalid, required, tooMany } from "../problems.ts";
import { formatQuantity, parseQuantity } from "../quantity.ts";
import { validateSet } from "./device-lists-validate.ts";

const mostOptions = 10;

/** An amount, and how it is written. */
interface Amount {
  readonly text: string;
  readonly nano: bigint;
}
const amountOf = (text: string): Amount => ({ text, nano: parseQuantity(text)?.nano ?? 0n });

function validateValues(values: readonly string[], standard: Amount, most: Amount, path: string): readonly Problem[] {
  if (values.length > mostOptions) return [tooMany(path, values.length, mostOptions)];
  const amounts = values.map(amountOf);
  return [
    ...amounts.flatMap((amount, i) =>
      i > 0 && amounts[i - 1]!.nano > amount.nano
        ? [invalid(`${path}[${i}]`, amount.text, "values must be sorted in ascending order")]
        : [],
    ),
    ...validateSet(
      amounts,
      path,
      ({ text, nano }, at) =>
        nano > most.nano ? [invalid(at, text, `option is larger than capacity value: ${most.text}`)] : [],
      ({ text }) => text,
    ),
    ...(amounts.some(({ nano }) => nano === standard.nano)
      ? []
      : [invalid(path, standard.text, "default value is not valid according to the requestPolicy")]),
  ];
}

function validateSteps(
  step: Amount,
  min: Amount,
  [standard, max]: readonly [Amount, Amount?],
  most: Amount,
  path: string,
) {
  if (step.nano <= 0n) return [invalid(path, step.text, "must be greater than zero")];
  const detail = `value is not a multiple of a given step (${step.text}) from (${min.text})`;
  const off = [standard, ...(max ? [max] : [])].filter(({ nano }) => (nano - min.nano) % step.nano !== 0n);
  const first = { nano: min.nano + step.nano, family: parseQuantity(min.text)?.family ?? "decimal" };
  return [
    ...(first.nano > most.nano
      ? [invalid(path, step.text, `one step ${formatQuantity(first)} is larger than capacity value: ${most.text}`)]
      : []),
    ...off.map(({ text }) => invalid(path, text, detail)),
  ];
}

function validateRange(
  range: CapacityRequestPolicyRange,
  standard: Amount,
  most: Amount,
  path: string,
): readonly Problem[] {
  if (!range.min) return [required(`${path}.min`, "required when validRange is defined")];
  const min = amountOf(range.min);
  const max = range.max === undefined ? undefined : amountOf(range.max);
  const step = range.step === undefined ? undefined : amountOf(range.step);
  const above = (a: Amount, b: Amount | undefined, field: string, detail: string): readonly Problem[] =>
    b && a.nano > b.nano ? [invalid(`${path}.${field}`, a.text, `${detail}: ${b.text}`)] : [];
  return [
    ...above(min, most, "min", "min is larger than capacity value"),
    ...(standard.nano < min.nano
      ? [invalid(`${path}.min`, standard.text, `default is less than min: ${min.text}`)]
      : []),
    ...above(min, max, "max", "min is larger than max"),
    ...(max ? above(max, most, "max", "max is larger than capacity value") : []),
    ...above(standard, max, "max", "default is more than max"),
    ...(step ? validateSteps(step, min, [standard, max], most, `${path}.step`) : []),
  ];
}

function validatePolicy(policy: CapacityRequestPolicy, most: Amount, path: string): readonly Problem[] {
  const { default: standard, validRange: range, validValues: values = [] } = policy;
  const both = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
  if (values.length > 0 && range) return [forbidden(path, both)];
  const [kind] = [...(values.length > 0 ? ["validValues"] : []), ...(range ? ["validRange"] : [])];
  if (!kind) return [];
  if (standard === undefined) return [required(`${path}.default`, `required when ${kind} is defined`)];
  return range
    ? validateRange(range, amountOf(standard), most, `${path}.validRange`)
    : validateValues(values, amountOf(standard), most, `${path}.validValues`);
}

/** Only of a device that is given to several at once can a part be asked for. */
export function validateCapacity(
  { requestPolicy, value }: DeviceCapacity,
  path: string,
  isShared: boolean,
): readonly Problem[] {
  const at = `${path}.requestPolicy`;
  if (!requestPolicy) return [];
  return isShared
    ? validatePolicy(requestPolicy, amountOf(value), at)
    : [forbidden(at, "allowMultipleAllocations must be true")];
}
