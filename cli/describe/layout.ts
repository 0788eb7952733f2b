// The building blocks of descriptions, whose lines have cells separated by tabs: fields, maps, tables, times.
import { age } from "../../api/age.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { alignTabs, describeStyle } from "../printers/tab-writer.ts";
import { visible } from "../printers/table.ts";

/** Lines with tabs, not yet aligned. */
export type Lines = readonly string[];
type Labels = Readonly<Record<string, string>> | undefined;

/** A line that ends all columns, and is not printed. */
export const columnEnd = "\f";

/** Aligns the lines of a description. */
export const aligned = (lines: Lines): string =>
  `${lines.join("\n")}\n`
    .split(`${columnEnd}\n`)
    .map((part) => alignTabs(visible(part), describeStyle))
    .join("");

/** Lines that are nested by levels of two spaces. */
export const indented = (lines: Lines, levels = 1): Lines => lines.map((line) => "  ".repeat(levels) + line);

/** A line of a name and a value. */
export const field = (name: string, value: unknown): string => `${name}:\t${value ?? ""}`;

/** The line, unless the value is absent or empty. */
export const optional = (name: string, value: unknown): Lines =>
  value === undefined || value === null || value === "" ? [] : [field(name, value)];

/** The text, or `<none>`. */
export const orNone = (text: string | undefined): string => text || "<none>";
/** The value, or `<unset>`. */
export const orUnset = (value: unknown): string => (value === undefined || value === null ? "<unset>" : String(value));
/** `True` or `False`. */
export const yesNo = (value: boolean | undefined): string => (value ? "True" : "False");
/** A list as Go prints it: `[a b]`. */
export const goList = (items: readonly unknown[] | undefined): string => `[${(items ?? []).join(" ")}]`;

/** The entries of a map by key. */
export const byKey = <T>(map: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

/** A field with several values, one on each line. */
export const multiline = (name: string, values: readonly string[]): Lines =>
  values.length === 0
    ? [field(name, "<none>")]
    : values.map((value, i) => (i === 0 ? field(name, value) : `\t${value}`));

/** Labels, one on each line. */
export const labelLines = (name: string, labels: Labels): Lines =>
  multiline(
    name,
    byKey(labels).map(([key, value]) => `${key}=${value}`),
  );

/** Labels on one line, or `<none>`. */
export const inlineLabels = (labels: Labels): string =>
  byKey(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",") || "<none>";

const maxAnnotation = 140;
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

const shortened = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}...` : text;

/** Annotations, one on each line; long ones and those of several lines below their key. */
export function annotationLines(annotations: Labels): Lines {
  const values = byKey(annotations)
    .filter(([key]) => key !== lastApplied)
    .flatMap(([key, raw]) => {
      const value = raw.replace(/\n$/, "");
      if (value.length + key.length + 2 < maxAnnotation && !value.includes("\n")) return [`${key}: ${value}`];
      return [`${key}:`, ...value.split("\n").map((line) => `  ${shortened(line, maxAnnotation - 2)}`)];
    });
  return multiline("Annotations", values);
}

/** A table with a line under its header. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  rule?: readonly string[],
): Lines {
  const dashes = rule ?? titles.map((title) => "-".repeat(title.length));
  return [titles, dashes, ...rows].map((cells) => cells.join("\t"));
}

const two = (n: number): string => String(n).padStart(2, "0");

function offsetOf(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(absolute / 60))}${two(absolute % 60)}`;
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const clockOf = (date: Date): string => [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");

/** A time in the local zone, by RFC 1123. */
export function timeText(time: string | undefined): string {
  if (!time) return "Mon, 01 Jan 0001 00:00:00 +0000";
  const date = new Date(time);
  const day = `${days[date.getDay()]}, ${two(date.getDate())} ${months[date.getMonth()]} ${date.getFullYear()}`;
  return `${day} ${clockOf(date)} ${offsetOf(date)}`;
}

/** A time in the local zone, as Go prints one without a format. */
export function plainTimeText(time: string): string {
  const date = new Date(time);
  const zone = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  const name = zone.find(({ type }) => type === "timeZoneName")!.value;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clockOf(date)} ${offsetOf(date)} ${name}`;
}

/** How long ago a time was. */
export const since = (time: string | undefined, now: Instant): string =>
  time ? age(instantOf(time), now) : "<unknown>";
