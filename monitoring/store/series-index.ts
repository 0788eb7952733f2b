// Which series have which labels: the values of every label name, and the series of every value.
import { compareText, type Labels } from "../series/labels.ts";
import type { Matcher } from "../series/matchers.ts";

type Reference = number;

/** An index of series by their labels. */
export interface SeriesIndex {
  add(reference: Reference, labels: Labels): void;
  delete(reference: Reference, labels: Labels): void;
  /** In ascending order. */
  select(matchers: readonly Matcher[]): readonly Reference[];
  names(): readonly string[];
  values(name: string): readonly string[];
}

/** Series of the values that a matcher accepts; undefined when it also accepts series without the label. */
function accepted(m: Matcher, byValue: ReadonlyMap<string, ReadonlySet<Reference>>): Set<Reference> | undefined {
  if (m.matches("")) return undefined;
  if (m.operator === "=") return new Set(byValue.get(m.value));
  const found = new Set<Reference>();
  for (const [value, references] of byValue)
    if (m.matches(value)) for (const reference of references) found.add(reference);
  return found;
}

/** The series with a value that a matcher rejects. */
function rejected(m: Matcher, byValue: ReadonlyMap<string, ReadonlySet<Reference>>): Set<Reference> {
  const found = new Set<Reference>();
  for (const [value, references] of byValue)
    if (!m.matches(value)) for (const reference of references) found.add(reference);
  return found;
}

export function seriesIndex(): SeriesIndex {
  const byName = new Map<string, Map<string, Set<Reference>>>();
  const all = new Set<Reference>();
  const none: ReadonlyMap<string, ReadonlySet<Reference>> = new Map();
  return {
    add(reference, { flat }) {
      all.add(reference);
      for (let i = 0; i < flat.length; i += 2) {
        const byValue = byName.getOrInsertComputed(flat[i]!, () => new Map<string, Set<Reference>>());
        byValue.getOrInsertComputed(flat[i + 1]!, () => new Set<Reference>()).add(reference);
      }
    },
    delete(reference, { flat }) {
      all.delete(reference);
      for (let i = 0; i < flat.length; i += 2) {
        const byValue = byName.get(flat[i]!);
        const references = byValue?.get(flat[i + 1]!);
        references?.delete(reference);
        if (references?.size === 0) byValue!.delete(flat[i + 1]!);
        if (byValue?.size === 0) byName.delete(flat[i]!);
      }
    },
    select(matchers) {
      const valuesOf = (m: Matcher) => byName.get(m.name) ?? none;
      // The smallest sets first, so that intersections stay small.
      const including = matchers.flatMap((m) => accepted(m, valuesOf(m)) ?? []).toSorted((a, b) => a.size - b.size);
      const [first = all, ...others] = including;
      const excluding = matchers.flatMap((m) => (m.matches("") ? rejected(m, valuesOf(m)) : []));
      return [...first]
        .filter((r) => others.every((set) => set.has(r)) && !excluding.some((set) => set.has(r)))
        .toSorted((a, b) => a - b);
    },
    names: () => [...byName.keys()].toSorted(compareText),
    values: (name) => [...(byName.get(name)?.keys() ?? [])].toSorted(compareText),
  };
}
