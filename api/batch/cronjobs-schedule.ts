// Parses cron schedules: five fields of numbers and ranges, or a descriptor such as `@daily`. The messages are those of
// robfig/cron, which Kubernetes parses schedules with.
import { parseDuration } from "../duration.ts";

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];
const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const everyPrefix = "@every ";

/** A schedule: a period, or for each of the five fields its values, or `*` for any. */
export type CronSchedule = { readonly zone?: string } & (
  | { readonly everyMs: number }
  | { readonly fields: readonly (readonly number[] | "*")[] }
);

/** The number, or the parse error. */
function numberOf(text: string): number | string {
  if (!/^[+-]?\d+$/.test(text))
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  const number = Number(text);
  return number < 0 ? `negative number (${number}) not allowed: ${text}` : number;
}

function namedNumber(text: string, { min, names }: Field): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + min : numberOf(text);
}

interface Range {
  readonly start: number;
  readonly end: number;
  /** A number alone, from which a step goes on to the maximum. */
  readonly isSingle: boolean;
  readonly isAny: boolean;
}

function rangeOf(text: string, expression: string, field: Field): Range | string {
  const [low = "", high, ...beyond] = text.split("-");
  if (low === "*" || low === "?") return { start: field.min, end: field.max, isSingle: false, isAny: true };
  const start = namedNumber(low, field);
  if (typeof start === "string") return start;
  if (high === undefined) return { start, end: start, isSingle: true, isAny: false };
  if (beyond.length > 0) return `too many hyphens: ${expression}`;
  const end = namedNumber(high, field);
  return typeof end === "string" ? end : { start, end, isSingle: false, isAny: false };
}

function valuesOf(text: string, field: Field): readonly number[] | "*" | { readonly error: string } {
  const [range = "", step, ...beyond] = text.split("/");
  const bounds = rangeOf(range, text, field);
  if (typeof bounds === "string") return { error: bounds };
  if (beyond.length > 0) return { error: `too many slashes: ${text}` };
  const by = step === undefined ? 1 : numberOf(step);
  if (typeof by === "string") return { error: by };
  const { start } = bounds;
  const end = step !== undefined && bounds.isSingle ? field.max : bounds.end;
  if (start < field.min) return { error: `beginning of range (${start}) below minimum (${field.min}): ${text}` };
  if (end > field.max) return { error: `end of range (${end}) above maximum (${field.max}): ${text}` };
  if (start > end) return { error: `beginning of range (${start}) beyond end of range (${end}): ${text}` };
  if (by === 0) return { error: `step of range should be a positive number: ${text}` };
  if (bounds.isAny && by === 1) return "*";
  return Array.from({ length: Math.floor((end - start) / by) + 1 }, (_, i) => start + i * by);
}

function parseFields(text: string): CronSchedule | string {
  const parts = text.split(/\s+/).filter((part) => part !== "");
  if (parts.length !== fields.length)
    return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(" ")}]`;
  const parsed: (readonly number[] | "*")[] = [];
  for (const [i, part] of parts.entries()) {
    const values: number[] = [];
    let isAny = false;
    for (const one of part.split(",").filter((p) => p !== "")) {
      const found = valuesOf(one, fields[i]!);
      if (typeof found === "object" && "error" in found) return found.error;
      if (found === "*") isAny = true;
      else values.push(...found);
    }
    parsed.push(isAny ? "*" : [...new Set(values)].toSorted((a, b) => a - b));
  }
  return { fields: parsed };
}

function parsePeriod(text: string): CronSchedule | string {
  const ms = parseDuration(text.slice(everyPrefix.length));
  if (typeof ms !== "number") return `failed to parse duration ${text}: ${ms.wrong}`;
  return { everyMs: Math.max(1, Math.floor(ms / 1000)) * 1000 };
}

/** The schedule, or why it is invalid. */
export function parseSchedule(schedule: string): CronSchedule | string {
  const [, zone, rest] = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/s.exec(schedule) ?? [];
  if (zone !== undefined && !isTimeZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
  const text = rest ?? schedule;
  if (text === "") return "empty spec string";
  const isDescriptor = text.startsWith("@") && descriptors[text] === undefined;
  if (isDescriptor && !text.startsWith(everyPrefix)) return `unrecognized descriptor: ${text}`;
  const parsed = isDescriptor ? parsePeriod(text) : parseFields(descriptors[text] ?? text);
  return typeof parsed === "string" || zone === undefined ? parsed : { ...parsed, zone };
}

/** Whether the IANA database has this time zone; an offset is not a zone. */
export function isTimeZone(name: string): boolean {
  if (name === "" || /^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // RangeError: there is no such zone.
    return false;
  }
}
