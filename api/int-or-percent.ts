// Numbers and percentages, as rolling updates and disruption budgets have them.
import type { Problem } from "./errors.ts";
import { invalid, inRange, goStruct, unsupported } from "./problems.ts";

const percent = /^[0-9]+%$/;
const percentMessage =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** The number of objects or of percent. */
export const numberIn = (value: number | string | undefined): number =>
  typeof value === "number" ? value : Number.parseInt(value ?? "0", 10) || 0;

/** The number of objects that a number or a percentage of `total` is; `round` says in which direction is safe. */
export const share = (value: number | string | undefined, total: number, round: (n: number) => number): number =>
  typeof value === "string" ? round((numberIn(value) * total) / 100) : (value ?? 0);

/** Validates a number or a percentage; the latter is at most `most`. */
export function validateShare(
  value: number | string | undefined,
  path: string,
  most = Number.MAX_SAFE_INTEGER,
): readonly Problem[] {
  if (value === undefined) return [];
  if (typeof value === "number") return inRange(value, path, 0, Infinity, "must be greater than or equal to 0");
  if (!percent.test(value)) return [invalid(path, value, percentMessage)];
  return numberIn(value) > most ? [invalid(path, value, `must not be greater than ${most}%`)] : [];
}

interface Strategy {
  readonly type?: string;
  readonly rollingUpdate?: object;
}

/** The problem of an unknown update strategy, which is shown completely. */
export const unknownStrategy = (s: Strategy = {}, path: string, known: readonly string[]): readonly Problem[] => {
  const rollingUpdate = goStruct(s.rollingUpdate, ["maxUnavailable", "maxSurge"]);
  return [unsupported(path, { Type: s.type ?? "", RollingUpdate: rollingUpdate }, known)];
};
