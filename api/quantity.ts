// Quantities (`100m`, `1Gi`, `2e3`): exact arithmetic and canonical form. Source: the API reference, "Quantity".

/** Billionths of a unit, Kubernetes' finest resolution, and the family of the suffix. */
export interface Quantity {
  readonly nano: bigint;
  readonly family: "decimal" | "binary" | "exponent";
}

const billion = 1_000_000_000n;
const decimal: readonly (readonly [string, bigint])[] = [
  ["E", 10n ** 27n],
  ["P", 10n ** 24n],
  ["T", 10n ** 21n],
  ["G", 10n ** 18n],
  ["M", 10n ** 15n],
  ["k", 10n ** 12n],
  ["", billion],
  ["m", 1_000_000n],
  ["u", 1_000n],
  ["n", 1n],
];
const binary: readonly (readonly [string, bigint])[] = (["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"] as const).map(
  (suffix, i) => [suffix, billion * 1024n ** BigInt(6 - i)] as const,
);
const scales = new Map([...decimal, ...binary]);
const form = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

function read(text: string): Quantity | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [, sign, digits = "", exponent, suffix = ""] = match;
  const [integer = "", fraction = ""] = digits.split(".");
  const power = exponent === undefined ? 0 : Number(exponent.slice(1));
  if (Math.abs(power) > 36) return undefined;
  const scale = exponent === undefined ? scales.get(suffix)! : billion;
  let numerator = BigInt(integer + fraction || "0") * scale;
  let denominator = 10n ** BigInt(fraction.length);
  if (power > 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  const nano = (numerator + denominator - 1n) / denominator;
  const family = exponent !== undefined ? "exponent" : suffix.endsWith("i") ? "binary" : "decimal";
  return { nano: sign === "-" ? -nano : nano, family };
}

// A cluster has few distinct quantities, and each is parsed at every write and every scheduling decision.
const known = new Map<string, Quantity>();
const maxKnown = 1_000;
const maxKnownLength = 20;

/** Undefined when the text is not a quantity. Finer values are rounded up to billionths, as Kubernetes does. */
export function parseQuantity(text: string): Quantity | undefined {
  const found = known.get(text);
  if (found) return found;
  const quantity = read(text);
  if (quantity === undefined || text.length > maxKnownLength) return quantity;
  if (known.size >= maxKnown) known.clear();
  known.set(text, quantity);
  return quantity;
}

/** The shortest exact spelling: `1000m` becomes `1`, `1024Mi` becomes `1Gi`. */
export function formatQuantity({ nano, family }: Quantity): string {
  if (nano === 0n) return "0";
  const size = nano < 0n ? -nano : nano;
  if (family === "binary" && size % billion === 0n && size >= 1024n * billion) {
    for (const [suffix, scale] of binary) if (size % scale === 0n) return `${nano / scale}${suffix}`;
    return `${nano / billion}`;
  }
  const [suffix, scale] = decimal.find(([, s]) => size % s === 0n)!;
  if (family !== "exponent") return `${nano / scale}${suffix}`;
  const power = decimal.findIndex(([s]) => s === suffix);
  return power === 6 ? `${nano / scale}` : `${nano / scale}e${(6 - power) * 3}`;
}

/** The canonical form of a quantity; other text is unchanged, so that validation reports it. */
export function canonicalQuantity(text: string | number): string {
  const parsed = parseQuantity(String(text));
  return parsed ? formatQuantity(parsed) : String(text);
}

const nanoOf = (text: string | undefined): bigint => (text === undefined ? 0n : (parseQuantity(text)?.nano ?? 0n));

/** Thousandths of a unit, rounded up; what CPU is counted in. An absent quantity is nothing. */
export const milliOf = (text: string | undefined): number => Number((nanoOf(text) + 999_999n) / 1_000_000n);
/** Whole units, rounded up; what memory is counted in (bytes). An absent quantity is nothing. */
export const unitsOf = (text: string | undefined): number => Number((nanoOf(text) + billion - 1n) / billion);

export const cpuQuantity = (millis: number): string =>
  formatQuantity({ nano: BigInt(Math.round(millis)) * 1_000_000n, family: "decimal" });
export const memoryQuantity = (bytes: number): string =>
  formatQuantity({ nano: BigInt(Math.round(bytes)) * billion, family: "binary" });
