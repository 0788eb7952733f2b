// Functions of the values of vectors at one step.
import { max, min } from "./numbers.ts";
import { type Column, emptyColumn, set, type Vector, withoutNames } from "./values.ts";

type OfValue = (value: number, first: number, second: number) => number;

const dateOf = (seconds: number): Date => new Date(seconds * 1000);
const dayMs = 86_400_000;
const radians = Math.PI / 180;

const roundTo = (value: number, nearest: number): number => {
  const inverse = 1 / nearest;
  return Math.floor(value * inverse + 0.5) / inverse;
};

const ofValues: Readonly<Record<string, OfValue>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sqrt: Math.sqrt,
  sgn: Math.sign,
  deg: (v) => v / radians,
  rad: (v) => v * radians,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  round: (v, nearest) => roundTo(v, nearest),
  clamp: (v, least, most) => max(least, min(most, v)),
  clamp_min: (v, least) => max(least, v),
  clamp_max: (v, most) => min(most, v),
  minute: (v) => dateOf(v).getUTCMinutes(),
  hour: (v) => dateOf(v).getUTCHours(),
  day_of_month: (v) => dateOf(v).getUTCDate(),
  day_of_week: (v) => dateOf(v).getUTCDay(),
  day_of_year: (v) => Math.floor((v * 1000 - Date.UTC(dateOf(v).getUTCFullYear(), 0, 1)) / dayMs) + 1,
  days_in_month: (v) => new Date(Date.UTC(dateOf(v).getUTCFullYear(), dateOf(v).getUTCMonth() + 1, 0)).getUTCDate(),
  month: (v) => dateOf(v).getUTCMonth() + 1,
  year: (v) => dateOf(v).getUTCFullYear(),
};

export const isOfValues = (name: string): boolean => Object.hasOwn(ofValues, name);

/** The function of every value; its scalars may differ from step to step. Without names, as what is computed is new. */
export function mapped(name: string, vector: Vector, scalars: readonly Float64Array[]): Vector {
  const compute = ofValues[name]!;
  const [first, second] = scalars;
  const fallback = name === "round" ? 1 : Number.NaN;
  const columns = vector.map(({ labels, values, present }): Column => {
    const column = emptyColumn(labels, values.length);
    for (const [step, value] of values.entries()) {
      const [a, b] = [first?.[step] ?? fallback, second?.[step] ?? Number.NaN];
      // Between limits in the wrong order there is nothing.
      if (present[step] !== 1 || (name === "clamp" && a > b)) continue;
      set(column, step, compute(value, a, b));
    }
    return column;
  });
  return withoutNames(columns);
}

/** The only value of a vector at each step; NaN where there is none or more than one. */
export function toScalar(vector: Vector, count: number): Float64Array {
  const values = new Float64Array(count).fill(Number.NaN);
  for (let step = 0; step < count; step++) {
    const present = vector.filter((column) => column.present[step] === 1);
    if (present.length === 1) values[step] = present[0]!.values[step]!;
  }
  return values;
}

/** By value; NaN is last. Only the results of instant queries are in an order. */
export function sorted(vector: Vector, isDescending: boolean): Vector {
  const sign = isDescending ? -1 : 1;
  return vector.toSorted(({ values: [a = 0] }, { values: [b = 0] }) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return sign * (a - b);
  });
}
