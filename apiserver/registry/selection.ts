// Selections by namespace, labels and fields, compiled to one predicate.
import { ApiError } from "../../api/errors.ts";
import { parseFieldSelector } from "../../api/field-selector.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { parseLabelSelector } from "../../api/label-selector.ts";
import type { ApiObject } from "../../api/meta.ts";
import { type Labels, matches } from "../../api/selector.ts";
import type { Selection } from "../../machinery/client.ts";

type Predicate<T> = ((object: T) => boolean) | undefined;
/** Undefined when every object is selected, so that objects need not be parsed. */
export type Matcher = Predicate<ApiObject>;

/** Reads the field a selector names. */
export type FieldReader<T = ApiObject> = (object: T) => string;
/** How selectors read objects, in whichever form these are. */
export interface Readers<T> {
  labels(object: T): Labels | undefined;
  /** Undefined when selectors may not name the field. */
  field(name: string): FieldReader<T> | undefined;
}

const everywhere: Readonly<Record<string, FieldReader>> = {
  "metadata.name": (o) => o.metadata.name,
  "metadata.namespace": (o) => o.metadata.namespace ?? "",
};

function labelMatcher<T>(text: string, { labels }: Readers<T>): Predicate<T> {
  const parsed = parseLabelSelector(text);
  if ("wrong" in parsed) throw new ApiError("BadRequest", parsed.wrong);
  const { requirements } = parsed;
  return requirements.length === 0 ? undefined : (object) => matches(requirements, labels(object));
}

const hasOwnFields = (r: ResourceDefinition): boolean => Object.keys(r.selectable).length > 0;

/** How a field is read, when selectors may name it. */
export function fieldReader(r: ResourceDefinition, field: string): FieldReader | undefined {
  // A cluster-scoped kind with selectable fields of its own does not offer the namespace.
  if (field === "metadata.namespace" && r.scope === "Cluster" && hasOwnFields(r)) return undefined;
  return everywhere[field] ?? (r.selectable[field] as FieldReader | undefined);
}

/** Every field that selectors may name. */
export const selectableFields = (r: ResourceDefinition): readonly string[] => [
  ...Object.keys(everywhere),
  ...Object.keys(r.selectable),
];

function fieldMatcher<T>(r: ResourceDefinition, text: string, readers: Readers<T>): Predicate<T> {
  const parsed = parseFieldSelector(text);
  if ("wrong" in parsed) throw new ApiError("BadRequest", parsed.wrong);
  const tests = parsed.requirements.map(({ field, equal, value }) => {
    const read = readers.field(field);
    if (!read) throw new ApiError("BadRequest", unsupported(r, field));
    return (object: T): boolean => (read(object) === value) === equal;
  });
  return tests.length === 0 ? undefined : (object) => tests.every((holds) => holds(object));
}

const unsupported = (r: ResourceDefinition, field: string): string =>
  hasOwnFields(r)
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;

/** The predicate of a selection, without the namespace, which is part of the key. */
export function predicateOf<T>(
  r: ResourceDefinition,
  { labelSelector, fieldSelector }: Selection,
  readers: Readers<T>,
): Predicate<T> {
  const byLabels = labelSelector ? labelMatcher(labelSelector, readers) : undefined;
  const byFields = fieldSelector ? fieldMatcher(r, fieldSelector, readers) : undefined;
  if (!byLabels || !byFields) return byLabels ?? byFields;
  return (object) => byLabels(object) && byFields(object);
}

/** The predicate for parsed objects. */
export const matcherOf = (r: ResourceDefinition, selection: Selection): Matcher =>
  predicateOf(r, selection, { labels: (o: ApiObject) => o.metadata.labels, field: (name) => fieldReader(r, name) });
