// The templates of labels and annotations: `{{ $labels.pod }}`, `{{ $value }}`, and the functions humanize,
// humanize1024, humanizePercentage, humanizeDuration and printf. Source: Prometheus' documentation, "Template
// reference".
import type { Labels } from "../series/labels.ts";
import { writeNumber } from "../promql/aggregation.ts";

const prefixes = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
const digits = (value: number): string => String(Number(value.toPrecision(4)));

function scaled(value: number, base: number, suffix: string): string {
  if (!Number.isFinite(value) || value === 0) return digits(value);
  const power = Math.max(0, Math.min(prefixes.length - 1, Math.floor(Math.log(Math.abs(value)) / Math.log(base))));
  return `${digits(value / base ** power)}${prefixes[power]}${power > 0 ? suffix : ""}`;
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return writeNumber(seconds);
  const total = Math.floor(Math.abs(seconds));
  if (total < 1) return `${digits(seconds * 1000)}ms`;
  const parts = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3600) % 24, "h"],
    [Math.floor(total / 60) % 60, "m"],
    [total % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const text = parts
    .slice(first)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ");
  return seconds < 0 ? `-${text}` : text;
}

const functions: Readonly<Record<string, (value: number) => string>> = {
  humanize: (value) => scaled(value, 1000, ""),
  humanize1024: (value) => scaled(value, 1024, "i"),
  humanizePercentage: (value) => `${digits(value * 100)}%`,
  humanizeDuration: duration,
};

const placeholder = /\{\{-?\s*(.*?)\s*-?\}\}/g;
const printf = /^printf\s+"([^"]*)"\s+\$value$/;

function formatted(format: string, value: number): string {
  return format.replace(/%(?:\.(\d+))?([fgdvs%])/g, (_, places: string | undefined, verb: string) => {
    if (verb === "%") return "%";
    if (verb === "f") return value.toFixed(Number(places ?? 6));
    return verb === "d" ? String(Math.trunc(value)) : digits(value);
  });
}

function expression(text: string, labels: Labels, value: number): string {
  const [, label] = /^(?:\$labels|\.Labels)\.(\w+)$/.exec(text) ?? [];
  if (label !== undefined) return labels.get(label);
  if (text === "$value" || text === ".Value") return writeNumber(value);
  const [, name = ""] = /^(?:\$value|\.Value)\s*\|\s*(\w+)$/.exec(text) ?? [];
  if (Object.hasOwn(functions, name)) return functions[name]!(value);
  const [, format] = printf.exec(text) ?? [];
  return format === undefined ? `<error expanding template: ${text}>` : formatted(format, value);
}

/** A text with its placeholders filled in. */
export const expandTemplate = (text: string, labels: Labels, value: number): string =>
  text.replace(placeholder, (_, inner: string) => expression(inner, labels, value));
