// Merges what an overlay says of a type's fields into its published schema.
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

/** The facts of a field by the published name of its type; the empty field is the type itself. */
export function factsOf(published: string, field: string): Facts {
  const facts = known.get(published)?.[field];
  if (facts) used.add(`${published}.${field}`);
  return facts ?? {};
}

/** Fields in the order of their facts, which is the order in which they are validated; then the others. */
export function inOrder<F extends { readonly name: string }>(published: string, fields: readonly F[]): readonly F[] {
  const order = Object.keys(known.get(published) ?? {});
  const place = ({ name }: F): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return fields.toSorted((a, b) => place(a) - place(b));
}

/** Facts of fields that no published type has: most likely misspelt. */
export const unusedFacts = (): readonly string[] =>
  [...known].flatMap(([type, facts]) =>
    Object.keys(facts)
      .map((field) => `${type}.${field}`)
      .filter((name) => !used.has(name)),
  );

/** The values a field, or each of its items, may hold. */
export function valuesOf(published: string, field: string): readonly string[] | undefined {
  const facts = factsOf(published, field);
  const own = facts.enum ?? facts.items?.enum;
  return (own as readonly string[] | undefined) ?? enumeration(`${published.split(".").at(-1)}.${field}`);
}

/** What Go has where a required field was not sent: an amount, a moment and a selector have no such value. */
function zeroOf(shape: Json): unknown {
  if (shape["$ref"] !== undefined) return String(shape["$ref"]).endsWith(".LabelSelector") ? undefined : {};
  if (shape["x-kubernetes-int-or-string"]) return 0;
  if (shape["type"] === "string") return shape["format"] === undefined ? "" : undefined;
  const zeros: Json = { object: {}, array: [], integer: 0, number: 0, boolean: false };
  return zeros[String(shape["type"])];
}

/** The published shape of a field with everything else that is known of it. Values of a list are those of its items. */
export function withFacts(published: string, field: string, shape: Json, isRequired: boolean): Json {
  const { items, additionalProperties, enum: _, open, ...facts } = factsOf(published, field);
  const values = valuesOf(published, field);
  const zero = isRequired ? zeroOf(shape) : undefined;
  const choice = { ...(values && { enum: values }), ...(open && { open }) };
  const isList = shape["type"] === "array";
  const inner = (name: string, more: object | undefined): Json =>
    more && Object.keys(more).length > 0 ? { [name]: { ...(shape[name] as Json), ...more } } : {};
  return {
    ...shape,
    ...(zero !== undefined && { default: zero }),
    ...(isList ? inner("items", { ...choice, ...items }) : choice),
    ...facts,
    ...inner("additionalProperties", additionalProperties),
  };
}
