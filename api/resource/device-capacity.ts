// Request policies: how much of a shared device's capacity one request may consume. Source: KEP-5075.
import type { Problem } from "../errors.ts";
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from "../generated/types.ts";
import { each, forbidden, invalid, none, repeated, required, together, tooMany } from "../problems.ts";
import { formatQuantity, parseQuantity } from "../quantity.ts";

const mostOptions = 10;
const both = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';

/** An amount, and how it is written. */
interface Amount {
  readonly text: string;
  readonly nano: bigint;
}
const amountOf = (text: string): Amount => ({ text, nano: parseQuantity(text)?.nano ?? 0n });
const optional = (text: string | undefined): Amount | undefined => (text === undefined ? undefined : amountOf(text));

/** The default of a policy, and the capacity of the device. */
interface Limits {
  readonly preset: Amount;
  readonly capacity: Amount;
}

function validateValues(values: readonly string[], { preset, capacity }: Limits, path: string): readonly Problem[] {
  if (values.length > mostOptions) return [tooMany(path, values.length, mostOptions)];
  const amounts = values.map(amountOf);
  return together(
    each(amounts, path, ({ text, nano }, at, i) =>
      i > 0 && amounts[i - 1]!.nano > nano ? [invalid(at, text, "values must be sorted in ascending order")] : none,
    ),
    each(amounts, path, ({ text, nano }, at) =>
      nano > capacity.nano ? [invalid(at, text, `option is larger than capacity value: ${capacity.text}`)] : none,
    ),
    repeated(values, path, (value) => value),
    !amounts.some(({ nano }) => nano === preset.nano) &&
      invalid(path, preset.text, "default value is not valid according to the requestPolicy"),
  );
}

function validateStep(
  step: Amount,
  min: Amount,
  [capacity, ...multiples]: readonly [Amount, ...Amount[]],
  path: string,
) {
  if (step.nano <= 0n) return [invalid(path, step.text, "must be greater than zero")];
  const first = { nano: min.nano + step.nano, family: parseQuantity(min.text)?.family ?? "decimal" };
  return together(
    first.nano > capacity.nano &&
      invalid(path, step.text, `one step ${formatQuantity(first)} is larger than capacity value: ${capacity.text}`),
    multiples
      .filter(({ nano }) => (nano - min.nano) % step.nano !== 0n)
      .map(({ text }) =>
        invalid(path, text, `value is not a multiple of a given step (${step.text}) from (${min.text})`),
      ),
  );
}

function validateRange(range: CapacityRequestPolicyRange, { preset, capacity }: Limits, path: string) {
  if (!range.min) return [required(`${path}.min`, "required when validRange is defined")];
  const [min, max, step] = [amountOf(range.min), optional(range.max), optional(range.step)];
  const above = (a: Amount | undefined, b: Amount | undefined, field: string, detail: string) =>
    a && b && a.nano > b.nano && invalid(`${path}.${field}`, a.text, `${detail}: ${b.text}`);
  return together(
    above(min, capacity, "min", "min is larger than capacity value"),
    preset.nano < min.nano && invalid(`${path}.min`, preset.text, `default is less than min: ${min.text}`),
    above(min, max, "max", "min is larger than max"),
    above(max, capacity, "max", "max is larger than capacity value"),
    above(preset, max, "max", "default is more than max"),
    step && validateStep(step, min, [capacity, preset, ...(max ? [max] : [])], `${path}.step`),
  );
}

function validatePolicy(policy: CapacityRequestPolicy, capacity: Amount, path: string): readonly Problem[] {
  const { default: preset, validRange: range, validValues: values = [] } = policy;
  const hasValues = values.length > 0;
  if (!hasValues && !range) return none;
  if (hasValues && range) return [forbidden(path, both)];
  if (preset === undefined)
    return [required(`${path}.default`, `required when ${range ? "validRange" : "validValues"} is defined`)];
  const limits = { preset: amountOf(preset), capacity };
  return range
    ? validateRange(range, limits, `${path}.validRange`)
    : validateValues(values, limits, `${path}.validValues`);
}

/** Only a device that several claims may share can have a policy. */
export function validateCapacity({ requestPolicy, value }: DeviceCapacity, path: string, isShared: boolean) {
  const at = `${path}.requestPolicy`;
  if (!requestPolicy) return none;
  return isShared
    ? validatePolicy(requestPolicy, amountOf(value), at)
    : [forbidden(at, "allowMultipleAllocations must be true")];
}
