// How every figure is printed: what was measured, what it is compared with in the same run, and what it must reach.

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: "ms" | "s" | "KB" | "MB" | "x" | "%" | "/s" | "seeds";
  /** Something measured in the same run on the same machine, so that the figure means something elsewhere too. */
  readonly beside?: { readonly what: string; readonly value: number; readonly unit: Figure["unit"] };
  readonly budget: { readonly atMost: number } | { readonly atLeast: number };
}

const round = (n: number): string => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2));
const holds = ({ value, budget }: Figure): boolean =>
  "atMost" in budget ? value <= budget.atMost : value >= budget.atLeast;

/** One line a figure; the process ends with 1 when one of them is missed. */
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

/** Milliseconds that some work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
