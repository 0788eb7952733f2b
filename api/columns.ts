// Columns of `kubectl get` that several kinds share.
import { age } from "./age.ts";
import type { Column } from "./kinds.ts";
import { instantOf, type ApiObject, type Instant } from "./meta.ts";
import { type LabelSelectorLike, selectorText } from "./selector.ts";

export const nameColumn: Column<ApiObject> = { name: "Name", format: "name", cell: (o) => o.metadata.name };
export const ageColumn: Column<ApiObject> = {
  name: "Age",
  cell: (o, now) => age(instantOf(o.metadata.creationTimestamp), now),
};

/** At most three items of a list, and how many more there are. */
export function firstThree(all: readonly string[], none: string): string {
  const more = all.length > 3 ? ` + ${all.length - 3} more...` : "";
  return all.length === 0 ? none : all.slice(0, 3).join(",") + more;
}

/** The age of a timestamp, or `<unknown>`. */
export const since = (text: string | undefined, now: Instant): string =>
  text === undefined ? "<unknown>" : age(instantOf(text), now);

/** Labels as a query string spells them, ordered by key. */
export const labelsCell = (labels: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(",") || "<none>";
/** A selector as a query string spells it. */
export const selectorCell = (selector: LabelSelectorLike | undefined): string => selectorText(selector) || "<none>";

interface Template {
  readonly spec?: { readonly containers: readonly { readonly name: string; readonly image?: string }[] };
}

/** The names and the images of the containers of a pod template, as `kubectl get -o wide` shows them. */
export const containerColumns = <T>(
  templateOf: (object: T) => Template | undefined,
  priority: 0 | 1 = 1,
): readonly Column<T>[] => {
  const column = (name: string, field: "name" | "image"): Column<T> => ({
    name,
    priority,
    cell: (object) => (templateOf(object)?.spec?.containers ?? []).map((c) => c[field] ?? "").join(","),
  });
  return [column("Containers", "name"), column("Images", "image")];
};
