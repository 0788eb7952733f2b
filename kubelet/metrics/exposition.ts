// Parses the text in which programs expose metrics. Pure.
// Source: Prometheus, "Exposition formats", version 0.0.4.
import { type ExpositionLine, parseExpositionLine } from "../../api/metrics/exposition.ts";

/** A sample of one series. */
export interface Sample extends ExpositionLine {
  /** Only grows, except that it begins at zero again when its program does. */
  readonly isCounter: boolean;
}

/** The text of a program is no exposition, or it has too many series. */
export class BadExposition extends Error {
  override readonly name = "BadExposition";
}

/** Of one pod. More are refused together: the sum over some of the series of a metric would be wrong. */
export const maxSeries = 2_000;

const typeForm = /^#[ \t]+TYPE[ \t]+(\S+)[ \t]+(\S+)[ \t]*$/;

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
    const parsed = parseExpositionLine(trimmed);
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
