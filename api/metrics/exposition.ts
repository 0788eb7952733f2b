// The lines of the text in which programs expose metrics. Source: Prometheus, "Exposition formats", version 0.0.4.
import type { Labels } from "../selector.ts";

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

/** A value as programs write it; undefined when it is no number. */
export function expositionNumber(text: string): number | undefined {
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

/** A line with a sample. */
export interface ExpositionLine {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

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
export function parseExpositionLine(line: string): ExpositionLine | undefined {
  const name = matchAt(nameForm, line, 0)?.[0];
  if (name === undefined) return undefined;
  const open = matchAt(/[ \t]*\{/y, line, name.length)?.[0].length;
  const { labels, end } =
    open === undefined ? { labels: {}, end: name.length } : (labelsAt(line, name.length + open) ?? { end: -1 });
  if (labels === undefined) return undefined;
  const text = matchAt(valueForm, line, end)?.[1];
  const value = text === undefined ? undefined : expositionNumber(text);
  return value === undefined ? undefined : { name, labels, value };
}
