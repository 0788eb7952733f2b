// Sets of fields: who owns what is told in these, and `metadata.managedFields` writes them down. A set is a tree: a
// step is `f:name` for a field, `k:{"name":"x"}` for the item of a list with that key, `v:"x"` for a member of a set;
// the path to a step may itself be in the set, beside what is below it. Pure.

/** What is in a set at a step and below it. Never empty, but for a set of nothing. */
export interface FieldSet {
  readonly has: boolean;
  readonly below: ReadonlyMap<string, FieldSet>;
}

const nothing: ReadonlyMap<string, FieldSet> = new Map();
/** The set of nothing. */
export const noFields: FieldSet = { has: false, below: nothing };
/** A path that ends here. */
export const here: FieldSet = { has: true, below: nothing };

export const isEmpty = (set: FieldSet | undefined): boolean => !set || (!set.has && set.below.size === 0);

/** A set of these parts; parts that are empty are left out. */
export function setOf(has: boolean, below: ReadonlyMap<string, FieldSet>): FieldSet {
  if (below.size === 0) return has ? here : noFields;
  return { has, below };
}

/** What either has. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || a === b) return b;
  if (isEmpty(b)) return a;
  const below = new Map(a.below);
  for (const [step, set] of b.below) {
    const other = below.get(step);
    below.set(step, other ? union(other, set) : set);
  }
  return setOf(a.has || b.has, below);
}

type Both = (mine: FieldSet, theirs: FieldSet) => FieldSet;
function combined(a: FieldSet, b: FieldSet, has: boolean, both: Both, keepsOthers: boolean): FieldSet {
  const below = new Map<string, FieldSet>();
  for (const [step, mine] of a.below) {
    const theirs = b.below.get(step);
    if (!theirs) {
      if (keepsOthers) below.set(step, mine);
      continue;
    }
    const left = both(mine, theirs);
    if (!isEmpty(left)) below.set(step, left);
  }
  return setOf(has, below);
}

/** What the first has and the second has not. */
export function minus(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return combined(a, b, a.has && !b.has, minus, true);
}
/** What both have. */
export function common(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return noFields;
  return combined(a, b, a.has && b.has, common, false);
}
/** The set without anything at or below the ends of these paths. */
export function withoutBelow(a: FieldSet, ends: FieldSet): FieldSet {
  if (ends.has) return noFields;
  if (isEmpty(ends)) return a;
  return combined(a, ends, a.has, withoutBelow, true);
}
export function sameFields(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.has !== b.has || a.below.size !== b.below.size) return false;
  for (const [step, set] of a.below) {
    const other = b.below.get(step);
    if (!other || !sameFields(set, other)) return false;
  }
  return true;
}

/** A set of paths, each given as its steps. */
export const pathsOf = (...paths: readonly (readonly string[])[]): FieldSet =>
  paths
    .map((steps) => steps.reduceRight<FieldSet>((below, step) => setOf(false, new Map([[step, below]])), here))
    .reduce(union, noFields);

/** Every path in the set, what is above before what is below it. */
export function* pathsIn(set: FieldSet, path: readonly string[] = []): Generator<readonly string[]> {
  const steps = sorted(set);
  for (const step of steps) if (set.below.get(step)!.has) yield [...path, step];
  for (const step of steps) yield* pathsIn(set.below.get(step)!, [...path, step]);
}

interface Tree {
  readonly [step: string]: Tree;
}

type Keys = readonly (readonly [string, unknown])[];
const keysOf = (step: string): Keys => Object.entries(JSON.parse(step.slice(2)) as object);
/** Items by their keys, and numbers by their size. */
function orderOfKeys(left: Keys, right: Keys): number {
  for (const [i, [name, value]] of left.entries()) {
    const [other = "", against] = right[i] ?? [];
    if (name !== other) return name < other ? -1 : 1;
    if (value !== against) return (value as string | number) < (against as string | number) ? -1 : 1;
  }
  return 0;
}
const isItem = (step: string): boolean => step.startsWith("k:");
/** With one key that is a plain name, items are in the order in which they are written. */
const plainKey = /^k:\{"\w+":"[\w./-]*"\}$/;
const isPlain = (step: string): boolean => !isItem(step) || plainKey.test(step);
const isInOrder = (steps: readonly string[]): boolean => steps.every((step, i) => i === 0 || steps[i - 1]! < step);
/** Steps in the order in which they are written: fields before items. Sorts what it is given. */
export function inStepOrder(steps: string[]): readonly string[] {
  if (steps.length < 2) return steps;
  if (steps.every(isPlain)) return isInOrder(steps) ? steps : steps.sort();
  const keys = new Map(steps.filter(isItem).map((step) => [step, keysOf(step)]));
  return steps.sort((a, b) => {
    const [left, right] = [keys.get(a), keys.get(b)];
    if (left && right) return orderOfKeys(left, right);
    return a < b ? -1 : 1;
  });
}
const sorted = (set: FieldSet): readonly string[] => inStepOrder([...set.below.keys()]);

/** Nothing more below; most paths end so. */
const end: object = Object.freeze({});
/** As `fieldsV1` of a managed fields entry: a dot says "and this itself", where there is more below. */
export function toFieldsV1(set: FieldSet): object {
  if (set.below.size === 0) return end;
  const tree: Record<string, object> = {};
  if (set.has) tree["."] = end;
  for (const step of sorted(set)) tree[step] = toFieldsV1(set.below.get(step)!);
  return tree;
}

/** Undo {@link toFieldsV1}; undefined when it is none. */
export function fromFieldsV1(fields: unknown): FieldSet | undefined {
  const set = fromTree(fields);
  return set && (set.has ? setOf(false, set.below) : set);
}
function fromTree(tree: unknown): FieldSet | undefined {
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return undefined;
  const below = new Map<string, FieldSet>();
  const steps = Object.entries(tree as Tree);
  for (const [step, inner] of steps) {
    if (step === ".") continue;
    const set = /^[fkvi]:/.test(step) ? fromTree(inner) : undefined;
    if (!set) return undefined;
    below.set(step, set);
  }
  return setOf(steps.length === 0 || "." in tree, below);
}

/** As conflicts are told: `.spec.containers[name="c"].image`. */
export const shownPath = (steps: readonly string[]): string =>
  steps
    .map((step) => {
      if (step.startsWith("f:")) return `.${step.slice(2)}`;
      if (step.startsWith("v:")) return `[=${step.slice(2)}]`;
      if (step.startsWith("i:")) return `[${step.slice(2)}]`;
      return `[${keysOf(step)
        .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
        .join(",")}]`;
    })
    .join("");
