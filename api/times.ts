// Times as they are kept: in UTC, to the second, or to the millionth of one where a field says so; however they came.
const kept = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const keptFinely = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
const secondsLength = "2006-01-02T15:04:05".length;
const fineDigits = 6;

/** The formats of fields that are times. */
export type TimeFormat = "date-time" | "date-time-micro";

/** The time in the form of its field (`metav1.Time` and `metav1.MicroTime`); nothing when it is none. */
export function canonicalTime(text: string, format: TimeFormat): string | undefined {
  const isFine = format === "date-time-micro";
  const [, seconds, fraction = "", zone] = rfc3339.exec(text) ?? [];
  const at = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(at)) return undefined;
  if ((isFine ? keptFinely : kept).test(text)) return text;
  const utc = new Date(at).toISOString().slice(0, secondsLength);
  return isFine ? `${utc}.${fraction.slice(0, fineDigits).padEnd(fineDigits, "0")}Z` : `${utc}Z`;
}

/** How Go's clients and servers say that a text is no time. */
export function noTime(text: string, format: TimeFormat): string {
  const layout = format === "date-time" ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00";
  return `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(text)} as "2006"`;
}
