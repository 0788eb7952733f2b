// Parses the text in which programs expose metrics. Pure.
// Source: Prometheus, "Exposition formats", version 0.0.4.
import type { Labels } from "../../api/selector.ts";

/** A sample of one series. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
  /** Only grows, except that it begins at zero again when its program does. */
  readonly isCounter: boolean;
}

/** The text of a program is no exposition, or it has too many series. */
export class BadExposition extends Error {
  override readonly name = "BadExposition";
}

/** Of one pod. More are refused together: the sum over some of the series of a metric would be wrong. */
export const maxSeries = 2_000;

const nameForm = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelForm = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\]*(?:\\.[^"\\]*)*)"[ \t]*(?:,|(?=\}))/y;
const endOfLabels = /[ \t]*\}/y;
// What an OpenMetrics program adds after `#`, an exemplar, is skipped.
const valueForm = /[ \t]*([-+.\w]+)(?:[ \t]+[-+.\d]+)?[ \t]*(?:#.*)?$/y;
const numberForm = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const special: Readonly<Record<string, number>> = {
  ...{ nan: Number.NaN, inf: Number.POSITIVE_INFINITY, "+inf": Number.POSITIVE_INFINITY },
  "-inf": Number.NEGATIVE_INFINITY,
};
const typeForm = /^#[ \t]+TYPE[ \t]+(\S+)[ \t]+(\S+)[ \t]*$/;

function numberOf(text: string): number | undefined {
  return numberForm.test(text) ? Number(text) : special[text.toLowerCase()];
}

const escapes: Readonly<Record<string, string>> = { n: "\n", '"': '"', "\\": "\\" };
const unescaped = (text: string): string =>
  text.includes("\\") ? text.replace(/\\(.)/g, (both, character: string) => escapes[character] ?? both) : text;

/** Matches at a position; undefined where it does not. */
function matchAt(form: RegExp, line: string, at: number): RegExpExecArray | undefined {
  form.lastIndex = at;
  return form.exec(line) ?? undefined;
}

type Line = Omit<Sample, "isCounter">;

/** The labels after an opening brace, and the position after the closing one; undefined when they are malformed. */
function labelsAt(line: string, start: number): { readonly labels: Labels; readonly end: number } | undefined {
  const labels: [string, string][] = [];
  let at = start;
  for (let pair = matchAt(labelForm, line, at); pair; pair = matchAt(labelForm, line, at)) {
    labels.push([pair[1]!, unescaped(pair[2]!)]);
    at += pair[0].length;
  }
  const close = matchAt(endOfLabels, line, at);
  return close && { labels: Object.fromEntries(labels), end: at + close[0].length };
}

/** A sample; undefined when the line is malformed. */
function parseLine(line: string): Line | undefined {
  const name = matchAt(nameForm, line, 0)?.[0];
  if (name === undefined) return undefined;
  const open = matchAt(/[ \t]*\{/y, line, name.length)?.[0].length;
  const { labels, end } =
    open === undefined ? { labels: {}, end: name.length } : (labelsAt(line, name.length + open) ?? { end: -1 });
  if (labels === undefined) return undefined;
  const text = matchAt(valueForm, line, end)?.[1];
  const value = text === undefined ? undefined : numberOf(text);
  return value === undefined ? undefined : { name, labels, value };
}

/** The type of a sample's family: it is declared under the name without the suffixes of its parts. */
const familyOf = (name: string): string => name.replace(/_(?:bucket|sum|count|total|created)$/, "");

/** Undefined for samples that are not kept: buckets, and times of creation. */
function isCounter(name: string, types: ReadonlyMap<string, string>): boolean | undefined {
  const own = types.get(name);
  if (own !== undefined) return own === "counter";
  const family = types.get(familyOf(name)) ?? "";
  if (family !== "" && (name.endsWith("_bucket") || name.endsWith("_created"))) return undefined;
  if (family === "histogram" || family === "summary" || family === "counter") return true;
  return name.endsWith("_total");
}

/** The samples of a text, without those that are no number. Throws BadExposition with the number of a bad line. */
export function parseExposition(text: string): readonly Sample[] {
  const types = new Map<string, string>();
  const samples = new Map<string, Sample>();
  for (const [i, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "") continue;
    if (trimmed.startsWith("#")) {
      const [, name, type] = typeForm.exec(trimmed) ?? [];
      if (name !== undefined && type !== undefined) types.set(name, type);
      continue;
    }
    const parsed = parseLine(trimmed);
    if (!parsed) throw new BadExposition(`line ${i + 1} is no sample: ${JSON.stringify(trimmed.slice(0, 80))}`);
    const counts = isCounter(parsed.name, types);
    if (counts === undefined || !Number.isFinite(parsed.value)) continue;
    samples.set(seriesId(parsed), { ...parsed, isCounter: counts });
    if (samples.size > maxSeries) throw new BadExposition(`there are more than ${maxSeries} series`);
  }
  return [...samples.values()];
}

/** Identifies a series: its name and its labels in order. */
export const seriesId = ({ name, labels }: Pick<Sample, "name" | "labels">): string =>
  JSON.stringify([name, ...Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
