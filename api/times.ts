// Canonical times: in UTC, with seconds or, where a field's format requires it, microseconds.
const canonical = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const canonicalMicro = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
const secondsLength = "2006-01-02T15:04:05".length;
const microDigits = 6;

/** The formats of fields that are times. */
export type TimeFormat = "date-time" | "date-time-micro";

/** The time in the form of its field (`metav1.Time`, `metav1.MicroTime`); undefined when the text is not a time. */
export function canonicalTime(text: string, format: TimeFormat): string | undefined {
  const isMicro = format === "date-time-micro";
  const [, seconds, fraction = "", zone] = rfc3339.exec(text) ?? [];
  const at = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(at)) return undefined;
  if ((isMicro ? canonicalMicro : canonical).test(text)) return text;
  const utc = new Date(at).toISOString().slice(0, secondsLength);
  return isMicro ? `${utc}.${fraction.slice(0, microDigits).padEnd(microDigits, "0")}Z` : `${utc}Z`;
}

/** Go's error for text that is not a time. */
export function timeError(text: string, format: TimeFormat): string {
  const layout = format === "date-time" ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00";
  return `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(text)} as "2006"`;
}
