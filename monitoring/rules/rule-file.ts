// Files of rules in Prometheus' format. Source: Prometheus' documentation, "Alerting rules" and "Recording rules".
import { parse } from "yaml";
import { parseQuery } from "../promql/parse.ts";
import { durationOf, ParseError } from "../promql/tokens.ts";
import type { Rule, RuleGroup } from "./groups.ts";

/** A file with a mistake. The message names the group and the rule. */
export class BadRules extends Error {
  override readonly name = "BadRules";
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, where: string, allowed: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new BadRules(`${where} must be a mapping`);
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown !== undefined)
    throw new BadRules(`${where} has an unknown field "${unknown}"; known are ${allowed.join(", ")}`);
  return value as Fields;
}
function listOf(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadRules(`${where} must be a list`);
  return value;
}
function textOf(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") throw new BadRules(`${where} must be a text that is not empty`);
  return value;
}
function durationIn(value: unknown, where: string, fallback: number): number {
  if (value === undefined) return fallback;
  const ms = value === 0 || value === "0" ? 0 : typeof value === "string" ? durationOf(value) : undefined;
  if (ms === undefined) throw new BadRules(`${where} must be a duration such as 30s or 5m`);
  return ms;
}
function pairsIn(value: unknown, where: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  const fields = fieldsOf(value, where, Object.keys(value));
  return Object.fromEntries(
    Object.entries(fields).map(([name, text]) => {
      if (typeof text !== "string" && typeof text !== "number" && typeof text !== "boolean")
        throw new BadRules(`${where}.${name} must be a text`);
      return [name, String(text)];
    }),
  );
}

const ruleFields = ["alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"];
const metricForm = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function ruleIn(value: unknown, where: string): Rule {
  const fields = fieldsOf(value, where, ruleFields);
  const { alert, record, expr, for: holds, keep_firing_for: keeps, annotations } = fields;
  if ((alert === undefined) === (record === undefined))
    throw new BadRules(`${where} must have one of alert and record`);
  const query = textOf(typeof expr === "number" ? String(expr) : expr, `${where}.expr`);
  try {
    parseQuery(query);
  } catch (e) {
    if (e instanceof ParseError) throw new BadRules(`${where}.expr: ${e.message}`);
    throw e;
  }
  const labels = pairsIn(fields["labels"], `${where}.labels`);
  if (record !== undefined) {
    const name = textOf(record, `${where}.record`);
    if (!metricForm.test(name)) throw new BadRules(`${where}.record: "${name}" is no name of a metric`);
    if (holds !== undefined || keeps !== undefined || annotations !== undefined)
      throw new BadRules(`${where}: for, keep_firing_for and annotations are fields of alerts`);
    return { type: "record", name, query, labels };
  }
  return {
    ...{ type: "alert", name: textOf(alert, `${where}.alert`), query, labels },
    forMs: durationIn(holds, `${where}.for`, 0),
    keepFiringForMs: durationIn(keeps, `${where}.keep_firing_for`, 0),
    annotations: pairsIn(annotations, `${where}.annotations`),
  };
}

/** The groups of a file. Throws BadRules. */
export function parseRules(text: string, defaultIntervalMs: number): readonly RuleGroup[] {
  let document: unknown;
  try {
    document = parse(text);
  } catch (e) {
    throw new BadRules((e as Error).message);
  }
  const { groups } = fieldsOf(document, "the file", ["groups"]);
  const names = new Set<string>();
  return listOf(groups, "groups").map((each, i) => {
    const fields = fieldsOf(each, `groups[${i}]`, ["name", "interval", "rules", "limit", "labels", "query_offset"]);
    const name = textOf(fields["name"], `groups[${i}].name`);
    if (names.has(name)) throw new BadRules(`there are two groups with the name "${name}"`);
    names.add(name);
    const shared = pairsIn(fields["labels"], `groups[${i}].labels`);
    const rules = listOf(fields["rules"], `groups[${i}].rules`).map((rule, j) =>
      ruleIn(rule, `groups[${i}].rules[${j}]`),
    );
    return {
      name,
      intervalMs: durationIn(fields["interval"], `groups[${i}].interval`, defaultIntervalMs) || defaultIntervalMs,
      rules: rules.map((rule) => ({ ...rule, labels: { ...shared, ...rule.labels } })),
    };
  });
}
