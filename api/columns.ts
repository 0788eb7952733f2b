// Columns that most kinds share.
import { age } from "./age.ts";
import type { Column } from "./kinds.ts";
import { instantOf, type ApiObject, type Instant } from "./meta.ts";
import { type LabelSelectorLike, selectorText } from "./selector.ts";

export const nameColumn: Column<ApiObject> = { name: "Name", format: "name", cell: (o) => o.metadata.name };
export const ageColumn: Column<ApiObject> = {
  name: "Age",
  cell: (o, now) => age(instantOf(o.metadata.creationTimestamp), now),
};
/** When it was made, for kinds whose column says so instead of an age. */
export const createdColumn: Column<ApiObject> = {
  name: "Created At",
  type: "date",
  cell: (o) => o.metadata.creationTimestamp,
};

/** Of a list, a column has room for three. */
export function firstThree(all: readonly string[], none: string): string {
  const more = all.length > 3 ? ` + ${all.length - 3} more...` : "";
  return all.length === 0 ? none : all.slice(0, 3).join(",") + more;
}

/** How long ago this was; `<unknown>` when it was never said. */
export const since = (text: string | undefined, now: Instant): string =>
  text === undefined ? "<unknown>" : age(instantOf(text), now);

/** Labels as a user would ask for them, in the order of their keys. */
export const labelsCell = (labels: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(",") || "<none>";
/** A selector as a user would ask for it. */
export const selectorCell = (selector: LabelSelectorLike | undefined): string => selectorText(selector) || "<none>";

interface Workload {
  readonly spec: {
    readonly template?: {
      readonly spec?: { readonly containers: readonly { readonly name: string; readonly image?: string }[] };
    };
  };
}
const containersOf = (w: Workload): readonly { readonly name: string; readonly image?: string }[] =>
  w.spec.template?.spec?.containers ?? [];

export const containersColumn: Column<Workload> = {
  name: "Containers",
  priority: 1,
  cell: (w) =>
    containersOf(w)
      .map((c) => c.name)
      .join(","),
};
export const imagesColumn: Column<Workload> = {
  name: "Images",
  priority: 1,
  cell: (w) =>
    containersOf(w)
      .map((c) => c.image ?? "")
      .join(","),
};
