// Validation of custom resources by the expressions in their schemas (`x-kubernetes-validations`). Source: the custom
// resources page, "Validation rules"; KEP-2876.
import { type SelfType, selfType, sizesIn } from "./rule-types.ts";
import type { ValidateRules } from "../../api/apiextensions/custom-kinds.ts";
import type { Problem } from "../../api/errors.ts";
import type { JSONSchemaProps } from "../../api/generated/types.ts";
import { forbidden, invalid } from "../../api/problems.ts";
import type { KnownSize } from "../../machinery/cel/cost.ts";
import { baseEnvironment, compile, type CompileProblem, type Expression } from "../../machinery/cel/expression.ts";

type Json = Readonly<Record<string, unknown>>;
type Rule = NonNullable<JSONSchemaProps["x-kubernetes-validations"]>[number];

/** Characters of a text and items of a list whose schema has no limit. */
const mostItems = 10_000;
/** Steps of one rule. Source: Kubernetes' limit for a rule of a custom resource. */
const mostSteps = 10_000_000;

const base = baseEnvironment();
const environmentFor = (type: SelfType): typeof base => {
  const environment = base.clone();
  for (const name of ["self", "oldSelf"])
    if (typeof type === "string") environment.registerVariable(name, type);
    else environment.registerVariable(name, { schema: type });
  return environment;
};

/** A rule, compiled. One that reads `oldSelf` holds for updates only, unless it takes a missing one. */
interface CompiledRule {
  readonly rule: Rule;
  readonly expression: Expression;
  readonly message: Expression | undefined;
  readonly isTransition: boolean;
}
/** The rules of one value, and those of the values in it. */
interface Node {
  readonly schema: JSONSchemaProps;
  readonly rules: readonly CompiledRule[];
  readonly fields: readonly (readonly [name: string, node: Node])[];
  readonly items: Node | undefined;
  readonly values: Node | undefined;
}

const isSchema = (value: unknown): value is JSONSchemaProps =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What the expressions of one schema may name, and the sizes it limits. */
interface Language {
  readonly environment: typeof base;
  readonly sizes: ReadonlyMap<string, KnownSize>;
}
const languageOf = (schema: JSONSchemaProps): Language =>
  schema["x-kubernetes-validations"]?.length
    ? { environment: environmentFor(selfType(schema)), sizes: sizesIn(schema, mostItems) }
    : { environment: base, sizes: new Map() };

const compileText = ({ environment, sizes }: Language, text: string, returns: string): Expression | CompileProblem =>
  compile(environment, text, { returns, mostItems, maxCost: mostSteps, sizes });

/** A rule that cannot be compiled was refused when the definition was written. */
function compiledRule(language: Language, rule: Rule): CompiledRule | undefined {
  const expression = compileText(language, rule.rule, "bool");
  if ("kind" in expression) return undefined;
  const message = rule.messageExpression ? compileText(language, rule.messageExpression, "string") : undefined;
  const isTransition = /\boldSelf\b/.test(rule.rule);
  return { rule, expression, message: message && "kind" in message ? undefined : message, isTransition };
}

/** Undefined where there are no rules in or below a schema. */
function nodeOf(schema: JSONSchemaProps): Node | undefined {
  const declared = schema["x-kubernetes-validations"] ?? [];
  const language = languageOf(schema);
  const rules = declared.flatMap((rule) => compiledRule(language, rule) ?? []);
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const node = nodeOf(inner);
    return node ? [[name, node] as const] : [];
  });
  const items = isSchema(schema.items) ? nodeOf(schema.items) : undefined;
  const values = isSchema(schema.additionalProperties) ? nodeOf(schema.additionalProperties) : undefined;
  if (rules.length + fields.length === 0 && !items && !values) return undefined;
  return { schema, rules, fields, items, values };
}

/** A value as expressions see it: integers of JSON are integers of CEL. */
function celValue(value: unknown, schema: JSONSchemaProps | undefined): unknown {
  if (typeof value === "number") return Number.isInteger(value) && schema?.type !== "number" ? BigInt(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = isSchema(schema?.items) ? schema.items : undefined;
    return value.map((item) => celValue(item, items));
  }
  const others = isSchema(schema?.additionalProperties) ? schema.additionalProperties : undefined;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, celValue(inner, schema?.properties?.[name] ?? others)]),
  );
}

function messageOf({ rule, message }: CompiledRule, context: Json): string {
  try {
    const text = message?.evaluate(context);
    if (typeof text === "string" && text.trim() !== "" && !text.includes("\n")) return text.trim();
  } catch {
    // The fixed message is used where the expression fails.
  }
  return rule.message ?? `failed rule: ${rule.rule.trim()}`;
}

const shown = (value: unknown): unknown =>
  typeof value === "object" ? (Array.isArray(value) ? "array" : "object") : value;

function problemOf(compiled: CompiledRule, value: unknown, context: Json, path: string): Problem | undefined {
  const at = compiled.rule.fieldPath ? `${path}${compiled.rule.fieldPath}` : path;
  try {
    if (compiled.expression.evaluate(context) === true) return undefined;
    return invalid(at, shown(value), messageOf(compiled, context));
  } catch (error) {
    const because = `rule evaluation error: ${(error as Error).message} evaluating rule: ${compiled.rule.message ?? compiled.rule.rule}`;
    return invalid(path, shown(value), because);
  }
}

function ownProblems(node: Node, value: unknown, old: unknown, path: string): readonly Problem[] {
  if (node.rules.length === 0) return [];
  const self = celValue(value, node.schema);
  const oldSelf = old === undefined ? undefined : celValue(old, node.schema);
  return node.rules.flatMap((compiled) => {
    if (compiled.isTransition && oldSelf === undefined) return [];
    return problemOf(compiled, value, { self, ...(oldSelf !== undefined && { oldSelf }) }, path) ?? [];
  });
}

const keyOfItem = (item: unknown, keys: readonly string[]): string =>
  JSON.stringify(keys.map((name) => (item as Json | undefined)?.[name]));

/** The item before the change: in lists with keys, the one of the same key. Others have none. */
function olderItems({ schema }: Node, old: unknown): (item: unknown) => unknown {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (!Array.isArray(old) || !keys || schema["x-kubernetes-list-type"] !== "map") return () => undefined;
  const byKey = new Map(old.map((item) => [keyOfItem(item, keys), item as unknown]));
  return (item) => byKey.get(keyOfItem(item, keys));
}

function problemsIn(node: Node, value: unknown, old: unknown, path: string): readonly Problem[] {
  const own = ownProblems(node, value, old, path);
  if (typeof value !== "object" || value === null) return own;
  if (Array.isArray(value)) {
    const { items } = node;
    const older = olderItems(node, old);
    return items ? [...own, ...value.flatMap((item, i) => problemsIn(items, item, older(item), `${path}[${i}]`))] : own;
  }
  const before = (typeof old === "object" && old !== null ? old : {}) as Json;
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const { values } = node;
  return [
    ...own,
    ...node.fields.flatMap(([name, inner]) => {
      const field = (value as Json)[name];
      return field === undefined ? [] : problemsIn(inner, field, before[name], at(name));
    }),
    ...(values
      ? Object.entries(value).flatMap(([name, field]) => problemsIn(values, field, before[name], `${path}[${name}]`))
      : []),
  ];
}

/** Compiles the rules in a schema; undefined when it has none. */
export function compileRules(schema: JSONSchemaProps | undefined): ValidateRules | undefined {
  const root = schema && nodeOf(schema);
  return root && ((object, old) => problemsIn(root, object, old, ""));
}

const overBudget =
  "estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";

/** What is wrong with the rules in a schema: called when a definition is written. */
export function ruleProblems(schema: JSONSchemaProps, path: string): readonly Problem[] {
  const declared = schema["x-kubernetes-validations"] ?? [];
  const language = languageOf(schema);
  const own = declared.flatMap(({ rule }, i) => {
    const found = compileText(language, rule, "bool");
    if (!("kind" in found)) return [];
    const at = `${path}.x-kubernetes-validations[${i}].rule`;
    return found.kind === "too complex" ? [forbidden(at, overBudget)] : [invalid(at, { rule }, found.detail)];
  });
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    ruleProblems(inner, `${path}.properties[${name}]`),
  );
  const items = isSchema(schema.items) ? ruleProblems(schema.items, `${path}.items`) : [];
  const values = isSchema(schema.additionalProperties)
    ? ruleProblems(schema.additionalProperties, `${path}.additionalProperties`)
    : [];
  return [...own, ...fields, ...items, ...values];
}
