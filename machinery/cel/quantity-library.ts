// Functions on quantities in CEL expressions. Source: the Kubernetes reference, "CEL in Kubernetes", quantity library.
import type { Environment } from "@marcbachmann/cel-js";
import { parseQuantity } from "../../api/quantity.ts";

const billion = 1_000_000_000n;

/** A value of the CEL type `kubernetes.Quantity`, in billionths of a unit. */
export class CelQuantity {
  readonly nano: bigint;
  constructor(nano: bigint) {
    this.nano = nano;
  }
}

/** Throws when the text is not a quantity. */
export function celQuantity(text: string): CelQuantity {
  const parsed = parseQuantity(text);
  if (!parsed) throw new Error("quantity: unable to parse quantity's suffix");
  return new CelQuantity(parsed.nano);
}

function integerOf({ nano }: CelQuantity): bigint {
  if (nano % billion !== 0n) throw new Error("cannot convert value to integer");
  return nano / billion;
}

const compare = (a: CelQuantity, b: CelQuantity): bigint => (a.nano < b.nano ? -1n : a.nano > b.nano ? 1n : 0n);
const type = "kubernetes.Quantity";

/** Adds the type and its functions. */
export const withQuantities = (environment: Environment): Environment =>
  environment
    .registerType(type, { ctor: CelQuantity, fields: {} })
    .registerFunction(`quantity(string): ${type}`, celQuantity)
    .registerFunction("isQuantity(string): bool", (text: string) => parseQuantity(text) !== undefined)
    .registerOperator(`${type} == ${type}`, (a: CelQuantity, b: CelQuantity) => a.nano === b.nano)
    .registerFunction(`${type}.sign(): int`, (a: CelQuantity) => compare(a, new CelQuantity(0n)))
    .registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: CelQuantity, b: CelQuantity) => a.nano > b.nano)
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: CelQuantity, b: CelQuantity) => a.nano < b.nano)
    .registerFunction(`${type}.compareTo(${type}): int`, compare)
    .registerFunction(`${type}.asApproximateFloat(): double`, ({ nano }: CelQuantity) => Number(nano) / 1e9)
    .registerFunction(`${type}.asInteger(): int`, integerOf)
    .registerFunction(`${type}.isInteger(): bool`, ({ nano }: CelQuantity) => nano % billion === 0n)
    .registerFunction(
      `${type}.add(${type}): ${type}`,
      (a: CelQuantity, b: CelQuantity) => new CelQuantity(a.nano + b.nano),
    )
    .registerFunction(`${type}.add(int): ${type}`, (a: CelQuantity, b: bigint) => new CelQuantity(a.nano + b * billion))
    .registerFunction(
      `${type}.sub(${type}): ${type}`,
      (a: CelQuantity, b: CelQuantity) => new CelQuantity(a.nano - b.nano),
    )
    .registerFunction(
      `${type}.sub(int): ${type}`,
      (a: CelQuantity, b: bigint) => new CelQuantity(a.nano - b * billion),
    );
