// Prints a measurement with its comparison and its budget.

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: "µs" | "ms" | "s" | "KB" | "MB" | "x" | "%" | "/s" | "seeds" | "nodes";
  /** A comparison measured in the same run, which makes results of different machines comparable. */
  readonly beside?: { readonly what: string; readonly value: number; readonly unit: Figure["unit"] };
  readonly budget: { readonly atMost: number } | { readonly atLeast: number };
}

const round = (n: number): string => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2));
const holds = ({ value, budget }: Figure): boolean =>
  "atMost" in budget ? value <= budget.atMost : value >= budget.atLeast;

/** Prints a figure on one line, and sets exit code 1 when it misses its budget. */
export function report(figure: Figure): void {
  const { what, value, unit, beside, budget } = figure;
  const bound = "atMost" in budget ? `at most ${budget.atMost}` : `at least ${budget.atLeast}`;
  const compared = beside ? `   (${beside.what}: ${round(beside.value)} ${beside.unit})` : "";
  const verdict = holds(figure) ? "ok    " : "MISSED";
  process.stdout.write(`${verdict} ${what}: ${round(value)} ${unit}, ${bound} ${unit}${compared}\n`);
  if (!holds(figure)) process.exitCode = 1;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** The duration of some work in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
