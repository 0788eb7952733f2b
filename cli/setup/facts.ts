// Merges the facts of the overlays into the published schemas.
import type { Facts, Overlay } from "../../api/overlay.ts";
import { enumeration } from "./enumerations.ts";
import { overlays } from "./overlays.ts";

type Json = Readonly<Record<string, unknown>>;

const known = new Map<string, Overlay[string]>(
  overlays.flatMap(([prefix, overlay]) =>
    Object.entries(overlay).map(([type, facts]) => [`${prefix}.${type}`, facts] as const),
  ),
);
const used = new Set<string>();

/** The facts of a field, by the published name of its type; the empty field name stands for the type. */
export function factsOf(published: string, field: string): Facts {
  const facts = known.get(published)?.[field];
  if (facts) used.add(`${published}.${field}`);
  return facts ?? {};
}

/** Fields in the order of their facts, which is the order of validation, followed by fields without facts. */
export function inOrder<F extends { readonly name: string }>(published: string, fields: readonly F[]): readonly F[] {
  const order = Object.keys(known.get(published) ?? {});
  const position = ({ name }: F): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return fields.toSorted((a, b) => position(a) - position(b));
}

/** Facts of fields that no published type has: probably misspelt. */
export const unusedFacts = (): readonly string[] =>
  [...known].flatMap(([type, facts]) =>
    Object.keys(facts)
      .map((field) => `${type}.${field}`)
      .filter((name) => !used.has(name)),
  );

/** The enumeration of a field, or of its items. */
export function valuesOf(published: string, field: string): readonly string[] | undefined {
  const facts = factsOf(published, field);
  const own = facts.enum ?? facts.items?.enum;
  return (own as readonly string[] | undefined) ?? enumeration(`${published.split(".").at(-1)}.${field}`);
}

/** The zero value of a required field in Go. Quantities, times and selectors have none. */
function zeroOf(shape: Json): unknown {
  if (shape["$ref"] !== undefined) return String(shape["$ref"]).endsWith(".LabelSelector") ? undefined : {};
  if (shape["x-kubernetes-int-or-string"]) return 0;
  if (shape["type"] === "string") return shape["format"] === undefined ? "" : undefined;
  const zeros: Json = { object: {}, array: [], integer: 0, number: 0, boolean: false };
  return zeros[String(shape["type"])];
}

/** The published schema of a field with its facts. The enumeration of a list applies to its items. */
export function withFacts(published: string, field: string, shape: Json, isRequired: boolean): Json {
  const { items, additionalProperties, enum: _, open, ...facts } = factsOf(published, field);
  const values = valuesOf(published, field);
  const zero = isRequired ? zeroOf(shape) : undefined;
  const enumFacts = { ...(values && { enum: values }), ...(open && { open }) };
  const isList = shape["type"] === "array";
  const inner = (name: string, more: object | undefined): Json =>
    more && Object.keys(more).length > 0 ? { [name]: { ...(shape[name] as Json), ...more } } : {};
  return {
    ...shape,
    ...(zero !== undefined && { default: zero }),
    ...(isList ? inner("items", { ...enumFacts, ...items }) : enumFacts),
    ...facts,
    ...inner("additionalProperties", additionalProperties),
  };
}
