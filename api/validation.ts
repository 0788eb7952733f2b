// Validation by schema: keywords report as for custom resources, facts of built-in kinds as Kubernetes' hand-written
// validation does; rules by type run where a value of their type occurs. Compiled once per schema; pure. Source: the
// API reference of JSONSchemaProps.
import type { Problem } from "./errors.ts";
import { formats } from "./formats.ts";
import { sameJson } from "./hash.ts";
import { type Check, type Found, keywordsOf, ofType } from "./keywords.ts";
import { duplicate, forbidden, invalid, none, required, tooMany } from "./problems.ts";
import { resolve, type Schema, typeNameOf } from "./schema.ts";

type Json = Readonly<Record<string, unknown>>;

/** Additional validation by the name of a type; paths are relative to the value. */
export type Rules = Readonly<Record<string, (value: never, path: string) => readonly Problem[]>>;

/** A problem with its path seen from the value around it. */
const below = (at: string, { path, ...problem }: Found): Found => ({
  ...problem,
  path: path === "" || path.startsWith("[") || path.startsWith(".") ? at + path : `${at}.${path}`,
});

const isEmpty = (value: unknown): boolean => {
  if (value === "" || value === 0 || value === undefined || value === null) return true;
  if (typeof value !== "object") return false;
  for (const _ in value) return false;
  return true;
};

/** All problems of both; no new list where one is empty. */
const both = (a: readonly Found[], b: readonly Found[]): readonly Found[] =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b];

interface Field {
  readonly name: string;
  readonly nonEmpty: boolean | string;
  readonly isRequired: boolean;
  readonly immutable: boolean | string;
  /** Immutable as declarative validation checks it (KEP-5073): the value is not shown, and not validated further. */
  readonly isFrozen: boolean;
  /** A value equal to the old one is not validated. */
  readonly ratcheting: boolean;
  /** Whether a null is validated; otherwise it is no value. */
  readonly checksNull: boolean;
  readonly check: Check | undefined;
}

function missing({ name, isRequired, nonEmpty }: Field, value: unknown): readonly Problem[] | undefined {
  const isMissing = nonEmpty ? isEmpty(value) : isRequired && value === undefined;
  return isMissing ? [required(name, typeof nonEmpty === "string" ? nonEmpty : "")] : undefined;
}

function changed({ name, immutable }: Field, value: unknown, old: Json): readonly Problem[] {
  if (immutable === false || sameJson(value, old[name])) return none;
  return [immutable === true ? invalid(name, value, "field is immutable") : forbidden(name, immutable)];
}

const objectCheck =
  (fields: readonly Field[]): Check =>
  (value, old) => {
    let found: Found[] | undefined;
    const add = (problems: readonly Found[], at?: string): void => {
      found ??= [];
      for (const problem of problems) found.push(at === undefined ? problem : below(at, problem));
    };
    const [object, before] = [value as Json, old as Json | undefined];
    for (const field of fields) {
      const { name, check } = field;
      const inner = object[name];
      if (before !== undefined && field.immutable !== false) {
        const problems = changed(field, inner, before);
        if (problems.length > 0) add(problems);
      }
      if (before !== undefined && field.isFrozen) {
        if (!sameJson(inner, before[name])) add([invalid(name, null, "field is immutable")]);
        continue;
      }
      const lacking = missing(field, inner);
      if (lacking) add(lacking);
      else if (inner !== undefined && (inner !== null || field.checksNull) && check) {
        const then = before?.[name];
        // An unchanged value was validated when it was written.
        if (field.ratcheting ? sameJson(inner, then) : inner === then && typeof inner === "object") continue;
        const problems = check(inner, then);
        if (problems.length > 0) add(problems, name);
      }
    }
    return found ?? none;
  };

/** Reports an item that equals an earlier one, or has its key. */
function repeats(
  unique: NonNullable<Schema["unique"]>,
  isCustom: boolean,
): (item: unknown, i: number, seen: Set<unknown>) => readonly Found[] {
  const keys = typeof unique === "string" ? [unique] : unique;
  const field = !isCustom && Array.isArray(unique) && unique.length === 1 ? `.${unique[0]}` : "";
  const keyOf = (item: unknown): unknown => {
    if (keys === true || typeof item !== "object" || item === null) return item;
    if (keys.length === 1 && !isCustom) return (item as Json)[keys[0]!];
    return Object.fromEntries(keys.map((key) => [key, (item as Json)[key]]));
  };
  return (item, i, seen) => {
    const key = keyOf(item);
    if (key === "" || key === undefined) return none;
    const text = typeof key === "object" ? JSON.stringify(key) : key;
    if (seen.has(text)) return [duplicate(`[${i}]${field}`, key)];
    seen.add(text);
    return none;
  };
}

function listCheck(check: Check | undefined, { itemsAtList, unique, maxItems, custom = false }: Schema): Check {
  const repeated = unique === undefined ? undefined : repeats(unique, custom);
  const most = maxItems ?? Number.POSITIVE_INFINITY;
  return (value, old) => {
    const [items, before] = [value as readonly unknown[], Array.isArray(old) ? old : none];
    const seen = new Set<unknown>();
    let found: Found[] | undefined;
    // The items of a list that is too long are not validated.
    if (items.length > most) return [tooMany("", items.length, most)];
    for (let i = 0; i < items.length; i++) {
      const again = repeated?.(items[i], i, seen) ?? none;
      // An unchanged item was validated when it was written.
      const isKnown = typeof items[i] === "object" && items[i] === before[i];
      const problems = isKnown || !check ? none : check(items[i], before[i]);
      if (again.length + problems.length === 0) continue;
      found ??= [];
      found.push(...again);
      for (const problem of problems) found.push(below(itemsAtList ? "" : `[${i}]`, problem));
    }
    return found ?? none;
  };
}

const mapCheck =
  (check: Check): Check =>
  (value, old) =>
    Object.entries(value as Json).flatMap(([key, inner]) =>
      check(inner, (old as Json | undefined)?.[key]).map((problem) => below(`[${key}]`, problem)),
    );

function unionCheck({ union, properties = {}, required: always = [] }: Schema): Check | undefined {
  if (!union) return undefined;
  const { members = Object.keys(properties).filter((name) => !always.includes(name)), none: nothing, more } = union;
  return (value) => {
    const set = members.filter((member) => (value as Json)[member] !== undefined);
    if (set.length === 0) return nothing === undefined ? none : [required("", nothing)];
    return more === undefined ? none : set.slice(1).map((member) => forbidden(member, more));
  };
}

/** Checks of one set of rules by schema; null where every value is valid. */
type Compiled = WeakMap<Schema, Check | null>;

class Compiler {
  private readonly compiled: Compiled = new WeakMap();
  private readonly rules: Rules;
  constructor(rules: Rules) {
    this.rules = rules;
  }

  /** The check of a field's schema; facts of the field come before those of its type. */
  of(schema: Schema): Check | undefined {
    if (schema.unchecked) return undefined;
    const full = resolve(schema);
    const type = this.typeCheck(full, typeNameOf(schema));
    return full === schema ? type : sequence([...this.ownChecks(schema), type]);
  }

  private typeCheck(full: Schema, name: string): Check | undefined {
    const known = this.compiled.get(full);
    if (known !== undefined) return known ?? undefined;
    // A type that contains itself refers to what is being compiled.
    this.compiled.set(full, (value, old) => this.typeCheck(full, name)?.(value, old) ?? none);
    const rule = this.rules[name];
    const check = sequence([
      ...this.ownChecks(full),
      this.structureCheck(full),
      rule && ((value) => rule(value as never, "")),
    ]);
    const typed = full.custom ? ofType(full, check ?? (() => none)) : check;
    this.compiled.set(full, typed ?? null);
    return typed;
  }

  private structureCheck(full: Schema): Check | undefined {
    if (full.items) {
      const check = this.of(full.items);
      return check || full.unique || full.maxItems ? listCheck(check, full) : undefined;
    }
    if (full.properties ?? full.required) return this.fieldsCheck(full);
    const check = full.additionalProperties && this.of(full.additionalProperties);
    return check && mapCheck(check);
  }

  private fieldsCheck({ properties = {}, required: needed = [] }: Schema): Check | undefined {
    const names = [...new Set([...Object.keys(properties), ...needed])];
    const fields = names.map((name): Field => {
      const schema = properties[name] ?? {};
      const { nonEmpty = false, immutable = false, frozen: isFrozen = false, ratcheting = false } = schema;
      // A required field with a default is never absent.
      const isRequired = needed.includes(name) && schema.default === undefined;
      const checksNull = schema.custom === true;
      return { name, nonEmpty, isRequired, immutable, isFrozen, ratcheting, checksNull, check: this.of(schema) };
    });
    const useful = fields.filter(
      (f) => f.nonEmpty !== false || f.isRequired || f.immutable !== false || f.isFrozen || f.check,
    );
    return useful.length > 0 ? objectCheck(useful) : undefined;
  }

  private ownChecks(schema: Schema): readonly (Check | undefined)[] {
    const { format = "", omitZero } = schema;
    const rule = Object.hasOwn(formats, format) ? formats[format] : undefined;
    return [
      ...keywordsOf(schema, (branch) => this.of(branch) ?? (() => none)),
      rule && ((value) => (omitZero && value === "" ? none : rule(value as never, ""))),
      unionCheck(schema),
    ];
  }
}

function sequence(all: readonly (Check | undefined)[]): Check | undefined {
  const [first, second, ...more] = all.filter((check) => check !== undefined);
  if (first === undefined || second === undefined) return first;
  const rest = sequence([second, ...more])!;
  return (value, old) => both(first(value, old), rest(value, old));
}

/** A problem as it is reported, with the path from the root. */
function reported({ say, ...problem }: Found): Problem {
  const path = problem.path.replace(/^\./, "");
  return { ...problem, path, message: say?.(path) ?? problem.message };
}

/** Validates a value at a path. */
export const problemsAt = (path: string, ...[schema, value, old, rules]: Parameters<typeof problemsOf>) =>
  problemsOf(schema, value, old, rules).map((problem) => below(path, problem));

const compilers = new WeakMap<Rules, Compiler>();
const noRules: Rules = {};

/** Validates a value by its schema; `old` is the value before an update. */
export function problemsOf(schema: Schema, value: unknown, old?: unknown, rules: Rules = noRules): readonly Problem[] {
  let compiler = compilers.get(rules);
  if (!compiler) {
    compiler = new Compiler(rules);
    compilers.set(rules, compiler);
  }
  const found = compiler.of(resolve(schema))?.(value, old) ?? none;
  return found.length === 0 ? none : found.map(reported);
}
