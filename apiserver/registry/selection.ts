// Selections by namespace, labels and fields, compiled to one predicate.
import { ApiError } from "../../api/errors.ts";
import { parseFieldSelector } from "../../api/field-selector.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { parseLabelSelector } from "../../api/label-selector.ts";
import type { ApiObject } from "../../api/meta.ts";
import { matches } from "../../api/selector.ts";
import type { Selection } from "../../machinery/client.ts";

/** Undefined when every object is selected, so that objects need not be parsed. */
export type Matcher = ((object: ApiObject) => boolean) | undefined;

/** Reads the field a selector names. */
export type FieldReader = (object: ApiObject) => string;
const everywhere: Readonly<Record<string, FieldReader>> = {
  "metadata.name": (o) => o.metadata.name,
  "metadata.namespace": (o) => o.metadata.namespace ?? "",
};

function labelMatcher(text: string): Matcher {
  const parsed = parseLabelSelector(text);
  if ("wrong" in parsed) throw new ApiError("BadRequest", parsed.wrong);
  const { requirements } = parsed;
  return requirements.length === 0 ? undefined : (object) => matches(requirements, object.metadata.labels);
}

const hasOwnFields = (r: ResourceDefinition): boolean => Object.keys(r.selectable).length > 0;

/** How a field is read, when selectors may name it. */
export function fieldReader(r: ResourceDefinition, field: string): FieldReader | undefined {
  // A cluster-scoped kind with selectable fields of its own does not offer the namespace.
  if (field === "metadata.namespace" && r.scope === "Cluster" && hasOwnFields(r)) return undefined;
  return everywhere[field] ?? (r.selectable[field] as FieldReader | undefined);
}

function fieldMatcher(r: ResourceDefinition, text: string): Matcher {
  const parsed = parseFieldSelector(text);
  if ("wrong" in parsed) throw new ApiError("BadRequest", parsed.wrong);
  const readers = parsed.requirements.map(({ field, equal, value }) => {
    const read = fieldReader(r, field);
    if (!read) throw new ApiError("BadRequest", unsupported(r, field));
    return (object: ApiObject): boolean => (read(object) === value) === equal;
  });
  return readers.length === 0 ? undefined : (object) => readers.every((holds) => holds(object));
}

const unsupported = (r: ResourceDefinition, field: string): string =>
  hasOwnFields(r)
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;

/** The predicate of a selection, without the namespace, which is part of the key. */
export function matcherOf(r: ResourceDefinition, { labelSelector, fieldSelector }: Selection): Matcher {
  const byLabels = labelSelector ? labelMatcher(labelSelector) : undefined;
  const byFields = fieldSelector ? fieldMatcher(r, fieldSelector) : undefined;
  if (!byLabels || !byFields) return byLabels ?? byFields;
  return (object) => byLabels(object) && byFields(object);
}
