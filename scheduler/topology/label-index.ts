// An index of label selectors: finds those that may match some labels without trying every one.
import type { Labels, Requirement } from "../../api/selector.ts";

export interface LabelIndex<T> {
  add(item: T, requirements: readonly Requirement[]): void;
  delete(item: T, requirements: readonly Requirement[]): void;
  /** Visits every item whose selector may match the labels. The caller compares the rest of the selector. */
  candidates(labels: Labels | undefined, visit: (item: T) => void): void;
}

/** An item is found by the values of its first `In` requirement; an item without one is a candidate for all labels. */
export function labelIndex<T>(): LabelIndex<T> {
  const byKey = new Map<string, Map<string, Set<T>>>();
  const others = new Set<T>();
  const places = (requirements: readonly Requirement[]): readonly (readonly [key: string, value: string])[] => {
    const first = requirements.find(({ operator }) => operator === "In");
    return first ? first.values.map((value) => [first.key, value] as const) : [];
  };
  const valuesOf = (key: string): Map<string, Set<T>> => {
    const values = byKey.get(key) ?? new Map<string, Set<T>>();
    byKey.set(key, values);
    return values;
  };
  return {
    add(item, requirements) {
      const found = places(requirements);
      if (found.length === 0) others.add(item);
      for (const [key, value] of found) {
        const values = valuesOf(key);
        values.set(value, (values.get(value) ?? new Set()).add(item));
      }
    },
    delete(item, requirements) {
      others.delete(item);
      for (const [key, value] of places(requirements)) {
        const values = valuesOf(key);
        if (values.get(value)?.delete(item) && values.get(value)!.size === 0) values.delete(value);
      }
    },
    candidates(labels, visit) {
      if (byKey.size > 0) for (const key in labels) byKey.get(key)?.get(labels[key]!)?.forEach(visit);
      others.forEach(visit);
    },
  };
}
