// Laying what a manager says over what stands there, and taking away what nobody says any more. Pure.
import type { Schema } from "../../../api/schema.ts";
import { type FieldSet, isEmpty, setOf } from "./set.ts";
import { fieldSchema, isObject, partsOf, stepFor, whole } from "./shape.ts";

type Json = Readonly<Record<string, unknown>>;

/** What becomes of `live` when `wanted` is laid over it. */
export function merged(schema: Schema, live: unknown, wanted: unknown): unknown {
  if (wanted === undefined) return live;
  const [now, over] = [partsOf(schema, live), partsOf(schema, wanted)];
  if (live === undefined || !now || !over) return wanted;
  if (!Array.isArray(wanted)) {
    const next: Record<string, unknown> = { ...(live as Json) };
    for (const [name, value] of Object.entries(wanted as Json))
      next[name] = merged(fieldSchema(schema, name), next[name], value);
    return next;
  }
  const step = stepFor(schema)!;
  const item = (wish: unknown): unknown => merged(over.get(step(wish))!.schema, now.get(step(wish))?.value, wish);
  return mergedItems(live as readonly unknown[], wanted, step, item);
}

/** Items of both lists: those that are wanted in the order they are wanted in, the others where they were. */
function mergedItems(
  live: readonly unknown[],
  wanted: readonly unknown[],
  step: (item: unknown) => string,
  item: (wish: unknown) => unknown,
): unknown[] {
  const [before, wishes] = [new Set(live.map(step)), new Set(wanted.map(step))];
  const result: unknown[] = [];
  const [standing, open] = [[...live], [...wanted]];
  while (standing.length > 0 || open.length > 0) {
    if (standing.length > 0 && !wishes.has(step(standing[0]))) result.push(standing.shift());
    else if (open.length > 0) {
      const wish = open.shift();
      // What both have takes the place of whichever of the common ones stood here.
      if (before.has(step(wish))) standing.shift();
      result.push(item(wish));
    } else standing.shift();
  }
  return result;
}

/** The set with every named field on the way to what is in it: who owns a field owns its way. */
export function withWays(schema: Schema, set: FieldSet): FieldSet {
  const { properties, items } = whole(schema);
  const below = new Map<string, FieldSet>();
  for (const [step, inner] of set.below) {
    const isField = step.startsWith("f:");
    const found = withWays(isField ? fieldSchema(schema, step.slice(2)) : (items ?? {}), inner);
    const isNamed = isField && properties?.[step.slice(2)] !== undefined;
    below.set(step, isNamed ? { has: true, below: found.below } : found);
  }
  return setOf(set.has, below);
}

/** The value without what is at these paths; what is thereby empty goes too. */
export function without(schema: Schema, value: unknown, gone: FieldSet): unknown {
  const parts = isEmpty(gone) ? undefined : partsOf(schema, value);
  if (!parts) return value;
  const left: [string, unknown][] = [];
  for (const [step, part] of parts) {
    const below = gone.below.get(step);
    if (below?.has) continue;
    const kept = below ? without(part.schema, part.value, below) : part.value;
    if (kept !== undefined) left.push([step.slice(2), kept]);
  }
  if (left.length === 0) return undefined;
  return isObject(value) ? Object.fromEntries(left) : left.map(([, item]) => item);
}
