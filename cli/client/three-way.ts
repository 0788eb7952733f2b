// The three-way merge of client-side apply: the manifest, the manifest as it was last applied, and the object of the
// server. Pure. Source: the Kubernetes documentation's "How apply calculates differences and merges changes".
import { sameJson } from "../../api/hash.ts";
import { resolve, type Schema } from "../../api/schema.ts";

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The three versions of a value. */
interface Versions {
  /** What was last applied. */
  readonly original: unknown;
  /** What is being applied. */
  readonly modified: unknown;
  /** What the server has. */
  readonly current: unknown;
}

const propertyOf = (schema: Schema | undefined, name: string): Schema | undefined => {
  if (!schema) return undefined;
  const { properties, additionalProperties } = resolve(schema);
  return properties?.[name] ?? additionalProperties;
};
/** How a list or map is merged: the published facts stand beside a reference, or in what it refers to. */
const strategyOf = (schema: Schema | undefined): { readonly strategy: string; readonly key: string | undefined } => {
  const full = schema ? { ...resolve(schema), ...schema } : {};
  return { strategy: full["x-kubernetes-patch-strategy"] ?? "", key: full["x-kubernetes-patch-merge-key"] };
};

function mergedMap({ original, modified, current }: Versions, schema: Schema | undefined): Json {
  const [before, next, now] = [isMap(original) ? original : {}, modified as Json, current as Json];
  const keepsOnlyWanted = strategyOf(schema).strategy.includes("retainKeys");
  const result: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(now), ...Object.keys(next)])) {
    // A null in a manifest removes the field.
    if (next[name] === null) continue;
    if (name in next) {
      const versions = { original: before[name], modified: next[name], current: now[name] };
      result[name] = mergedValue(versions, propertyOf(schema, name));
    } else if (!(name in before) && !keepsOnlyWanted) result[name] = now[name];
  }
  return result;
}

/** The members in the server's order where that agrees with the manifest's, and new ones after them. */
function inOrder<T>(current: readonly T[], next: readonly T[], kept: ReadonlySet<T>): readonly T[] {
  const shared = current.filter((key) => next.includes(key));
  const isSameOrder = sameJson(
    shared,
    next.filter((key) => current.includes(key)),
  );
  const order = isSameOrder ? [...current, ...next] : [...next, ...current];
  return [...new Set(order)].filter((key) => kept.has(key));
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A list of maps with a merge key: members are merged by it, and removed when the manifest no longer has them. */
function mergedByKey(versions: Versions, key: string, schema: Schema | undefined): readonly unknown[] {
  const byKey = (list: unknown): ReadonlyMap<unknown, Json> =>
    new Map(
      listOf(list)
        .filter(isMap)
        .map((item) => [item[key], item]),
    );
  const [before, next, now] = [byKey(versions.original), byKey(versions.modified), byKey(versions.current)];
  const kept = new Set([...next.keys(), ...[...now.keys()].filter((k) => !before.has(k))]);
  const items = schema && resolve(schema).items;
  const { strategy } = strategyOf(schema);
  return inOrder([...now.keys()], [...next.keys()], kept).map((k) => {
    const modified = next.get(k);
    if (modified === undefined) return now.get(k);
    if (!now.has(k)) return modified;
    const member: Schema = strategy.includes("retainKeys")
      ? { ...items, "x-kubernetes-patch-strategy": "retainKeys" }
      : (items ?? {});
    return mergedMap({ original: before.get(k), modified, current: now.get(k) }, member);
  });
}

/** A list of scalars that is merged: members are removed when the manifest no longer has them. */
function mergedScalars({ original, modified, current }: Versions): readonly unknown[] {
  const [before, next, now] = [listOf(original), listOf(modified), listOf(current)];
  return inOrder(now, next, new Set([...next, ...now.filter((item) => !before.includes(item))]));
}

function mergedValue(versions: Versions, schema: Schema | undefined): unknown {
  const { modified, current } = versions;
  if (isMap(modified) && isMap(current) && !strategyOf(schema).strategy.startsWith("replace"))
    return mergedMap(versions, schema);
  const { strategy, key } = strategyOf(schema);
  if (Array.isArray(modified) && Array.isArray(current) && strategy.includes("merge"))
    return key === undefined ? mergedScalars(versions) : mergedByKey(versions, key, schema);
  return modified;
}

/** The object that apply asks for. Without a schema, as for custom resources, lists are replaced. */
export const threeWayMerge = (original: object, modified: object, current: object, schema: Schema | undefined): Json =>
  mergedMap({ original, modified, current }, schema);
