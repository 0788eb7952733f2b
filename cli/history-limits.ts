// The option of how much of the past an API server keeps.
import { parseDuration } from "../api/duration.ts";
import { unitsOf } from "../api/quantity.ts";
import { defaultHistoryLimits, type HistoryLimits } from "../apiserver/history/limits.ts";
import { CliError } from "./cli-error.ts";

export const historyOption = [
  "--history <age,amount>",
  "how much of the past is kept in memory, whichever is reached first (default: 1h,128Mi)",
] as const;

const wrong = (text: string): CliError =>
  new CliError(`"${text}" is no length of history`, "Write an age, an amount of memory, or both: 1h,256Mi.");

/** Limits as `1h,256Mi`; either part may be left out. Throws CliError. */
export function parseHistoryLimits(text: string): HistoryLimits {
  const parts = text.split(",").map((part): Partial<HistoryLimits> => {
    const ageMs = parseDuration(part);
    if (typeof ageMs === "number" && ageMs > 0) return { ageMs };
    if (!/^\d+(\.\d+)?([KMGT]i?|k)?$/.test(part)) throw wrong(text);
    const bytes = unitsOf(part);
    if (bytes > 0) return { bytes };
    throw wrong(text);
  });
  const ages = parts.filter(({ ageMs }) => ageMs !== undefined).length;
  if (parts.length > 2 || ages > 1 || parts.length - ages > 1) throw wrong(text);
  return Object.assign({}, defaultHistoryLimits, ...parts) as HistoryLimits;
}
