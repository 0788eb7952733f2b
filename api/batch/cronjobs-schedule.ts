// Validation of cron schedules: five fields of numbers and ranges, or a descriptor such as `@daily`. The messages are
// those of robfig/cron, which Kubernetes parses schedules with.

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
const descriptors = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const everyPrefix = "@every ";
/** `1h30m`, as Go writes durations. */
const duration = /^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/;

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
  readonly open: boolean;
}

function rangeOf(text: string, expression: string, field: Field): Range | string {
  const [low = "", high, ...beyond] = text.split("-");
  if (low === "*" || low === "?") return { start: field.min, end: field.max, open: false };
  const start = namedNumber(low, field);
  if (typeof start === "string") return start;
  if (high === undefined) return { start, end: start, open: true };
  if (beyond.length > 0) return `too many hyphens: ${expression}`;
  const end = namedNumber(high, field);
  return typeof end === "string" ? end : { start, end, open: false };
}

function partError(text: string, field: Field): string | undefined {
  const [range = "", step, ...beyond] = text.split("/");
  const bounds = rangeOf(range, text, field);
  if (typeof bounds === "string") return bounds;
  if (beyond.length > 0) return `too many slashes: ${text}`;
  const by = step === undefined ? 1 : numberOf(step);
  if (typeof by === "string") return by;
  const { start } = bounds;
  const end = step !== undefined && bounds.open ? field.max : bounds.end;
  if (start < field.min) return `beginning of range (${start}) below minimum (${field.min}): ${text}`;
  if (end > field.max) return `end of range (${end}) above maximum (${field.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return by === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

/** Why a schedule is invalid; undefined when it is valid. */
export function scheduleError(schedule: string): string | undefined {
  const [, zone, rest] = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/s.exec(schedule) ?? [];
  if (zone !== undefined && !isTimeZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
  const text = rest ?? schedule;
  if (text === "") return "empty spec string";
  if (text.startsWith("@")) {
    if (descriptors.includes(text)) return undefined;
    if (!text.startsWith(everyPrefix)) return `unrecognized descriptor: ${text}`;
    const period = text.slice(everyPrefix.length);
    return duration.test(period)
      ? undefined
      : `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(period)}`;
  }
  const parts = text.split(/\s+/).filter((part) => part !== "");
  if (parts.length !== fields.length)
    return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(" ")}]`;
  for (const [i, part] of parts.entries())
    for (const one of part.split(",").filter((p) => p !== "")) {
      const error = partError(one, fields[i]!);
      if (error !== undefined) return error;
    }
  return undefined;
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
