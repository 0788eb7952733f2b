// Selections of stored values. What selectors read of a value is kept beside it: a list that selects few of many
// objects parses none that it has seen before.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Labels } from "../../api/selector.ts";
import type { Selection } from "../../machinery/client.ts";
import type { Stored } from "../storage/storage.ts";
import { objectOf } from "./codec.ts";
import { fieldReader, predicateOf, selectableFields } from "./selection.ts";

/** What selectors can read of an object. */
interface Attributes {
  readonly definition: ResourceDefinition;
  readonly labels: Labels | undefined;
  readonly fields: ReadonlyMap<string, string>;
}

const known = new WeakMap<Uint8Array, Attributes>();

function attributesOf(definition: ResourceDefinition, stored: Stored): Attributes {
  const kept = known.get(stored.value);
  if (kept?.definition === definition) return kept;
  const object = objectOf(stored);
  const fields = new Map<string, string>();
  for (const name of selectableFields(definition)) {
    const read = fieldReader(definition, name);
    if (read) fields.set(name, read(object));
  }
  const attributes = { definition, labels: object.metadata.labels, fields };
  known.set(stored.value, attributes);
  return attributes;
}

/** Whether a stored value is selected; undefined when all are. Throws BadRequest for a selector that cannot be read. */
export const storedMatcherOf = (r: ResourceDefinition, selection: Selection) =>
  predicateOf<Stored>(r, selection, {
    labels: (stored) => attributesOf(r, stored).labels,
    field: (name) => fieldReader(r, name) && ((stored) => attributesOf(r, stored).fields.get(name) ?? ""),
  });
