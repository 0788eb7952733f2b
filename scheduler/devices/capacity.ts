// Capacity of devices that several claims share: how much a request consumes, and whether it is left. Source: KEP-5075.
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  CapacityRequirements,
  Device,
  DeviceCapacity,
} from "../../api/generated/types.ts";
import { formatQuantity, parseQuantity, type Quantity } from "../../api/quantity.ts";

/** Amounts by the name of the capacity, in billionths. */
export type Consumed = ReadonlyMap<string, bigint>;

const billion = 1_000_000_000n;
const nanoOf = (text: string): bigint => parseQuantity(text)?.nano ?? 0n;
/** Whole units, rounded up: the steps of a range are whole. */
const unitsOf = (nano: bigint): bigint => (nano + billion - 1n) / billion;

function roundedUp(amount: Quantity, { min, step }: CapacityRequestPolicyRange): Quantity {
  const least = parseQuantity(min)!;
  if (amount.nano < least.nano) return least;
  if (step === undefined) return amount;
  const [from, by] = [unitsOf(least.nano), unitsOf(nanoOf(step))];
  const steps = (unitsOf(amount.nano) - from + by - 1n) / by;
  return { nano: (from + by * steps) * billion, family: "binary" };
}

/** What a request consumes: by the policy at least as much as it names, and without a number the default or all. */
function consumption(request: string | undefined, { requestPolicy: policy, value }: DeviceCapacity): Quantity {
  if (request === undefined) return parseQuantity(policy?.default ?? value)!;
  const amount = parseQuantity(request)!;
  if (policy?.validRange?.min) return roundedUp(amount, policy.validRange);
  const valid = policy?.validValues?.find((option) => nanoOf(option) >= amount.nano);
  return valid === undefined ? amount : parseQuantity(valid)!;
}

function isAllowed({ nano }: Quantity, policy: CapacityRequestPolicy | undefined): boolean {
  if (!policy || (policy.default !== undefined && nanoOf(policy.default) === nano)) return true;
  const { validRange: range, validValues = [] } = policy;
  if (range) {
    if (range.max !== undefined && nano > nanoOf(range.max)) return false;
    if (range.step === undefined) return true;
    return (unitsOf(nano) - unitsOf(nanoOf(range.min))) % unitsOf(nanoOf(range.step)) === 0n;
  }
  return validValues.length === 0 || validValues.some((option) => nanoOf(option) === nano);
}

/** Whether the device has what is requested beside what is consumed of it. */
export function hasCapacity(
  { capacity = {} }: Device,
  { requests = {} }: CapacityRequirements,
  ...consumed: readonly (Consumed | undefined)[]
): boolean {
  if (Object.keys(requests).some((name) => !(name in capacity))) return false;
  return Object.entries(capacity).every(([name, entry]) => {
    const amount = consumption(requests[name], entry);
    if (!isAllowed(amount, entry.requestPolicy)) return false;
    const total = consumed.reduce((sum, c) => sum + (c?.get(name) ?? 0n), amount.nano);
    return total <= nanoOf(entry.value);
  });
}

/** What a request consumes of each capacity of the device. */
export const consumptionOf = (
  { capacity = {} }: Device,
  { requests = {} }: CapacityRequirements,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(capacity).map(([name, entry]) => [name, formatQuantity(consumption(requests[name], entry))]),
  );

/** Sums of consumed capacity. */
export function plus(a: Consumed | undefined, amounts: Readonly<Record<string, string>>): Consumed {
  const sums = new Map(a);
  for (const [name, amount] of Object.entries(amounts)) sums.set(name, (sums.get(name) ?? 0n) + nanoOf(amount));
  return sums;
}
