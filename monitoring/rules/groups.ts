// Groups of rules and the state of their alerts. Pure.
import type { Labels } from "../series/labels.ts";
import type { VectorSample } from "../promql/query.ts";
import { expandTemplate } from "./template.ts";

interface CommonRule {
  readonly name: string;
  readonly query: string;
  readonly labels: Readonly<Record<string, string>>;
}
export interface AlertRule extends CommonRule {
  readonly type: "alert";
  /** How long the condition must hold until the alert fires, and how long it fires after the condition has ended. */
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly annotations: Readonly<Record<string, string>>;
}
/** Stores the result of its query as a metric of its name. */
export interface RecordingRule extends CommonRule {
  readonly type: "record";
}
export type Rule = AlertRule | RecordingRule;
export interface RuleGroup {
  readonly name: string;
  readonly intervalMs: number;
  readonly rules: readonly Rule[];
}

/** An alert whose condition holds. Times are milliseconds. */
export interface ActiveAlert {
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
  /** Since when the condition holds. */
  readonly activeAt: number;
  /** When the condition held last. */
  readonly heldAt: number;
  readonly value: number;
}

export interface EvaluatedRule {
  readonly rule: Rule;
  readonly alerts: readonly ActiveAlert[];
  readonly error?: string;
}
export interface EvaluatedGroup {
  readonly group: RuleGroup;
  /** Where it comes from: `built-in`, or a ConfigMap and its key. */
  readonly file: string;
  readonly rules: readonly EvaluatedRule[];
  readonly lastEvaluation: number;
  readonly seconds: number;
}
export interface RuleState {
  readonly groups: readonly EvaluatedGroup[];
}

/** The labels of an alert: those of the sample, then those of the rule. */
function alertLabels(rule: AlertRule, sample: VectorSample): Labels {
  const labels = sample.labels.withoutName();
  const own = Object.entries(rule.labels).map(
    ([name, text]) => [name, expandTemplate(text, labels, sample.value)] as const,
  );
  return labels.with(...own, ["alertname", rule.name]);
}

/**
 * The alerts of a rule after an evaluation. `since` are the times at which conditions began to hold before a restart,
 * by the keys of labels.
 */
export function nextAlerts(
  rule: AlertRule,
  before: readonly ActiveAlert[],
  samples: readonly VectorSample[],
  now: number,
  since: ReadonlyMap<string, number> = new Map(),
): readonly ActiveAlert[] {
  const known = new Map(before.map((alert) => [alert.labels.key, alert]));
  const holding = new Map<string, ActiveAlert>();
  for (const sample of samples) {
    const labels = alertLabels(rule, sample);
    const former = known.get(labels.key);
    const activeAt = former?.activeAt ?? since.get(labels.key) ?? now;
    const isFiring = former?.state === "firing" || now - activeAt >= rule.forMs;
    const annotations = Object.entries(rule.annotations).map(([name, text]) => [
      name,
      expandTemplate(text, sample.labels, sample.value),
    ]);
    holding.set(labels.key, {
      ...{ labels, activeAt, heldAt: now, value: sample.value },
      annotations: Object.fromEntries(annotations) as Record<string, string>,
      state: isFiring ? "firing" : "pending",
    });
  }
  const kept = before.filter(
    ({ labels, state, heldAt }) =>
      !holding.has(labels.key) && state === "firing" && now - heldAt < rule.keepFiringForMs,
  );
  return [...holding.values(), ...kept];
}

/** What became of alerts between two evaluations. */
export function alertChanges(
  before: readonly ActiveAlert[],
  after: readonly ActiveAlert[],
): { readonly fired: readonly ActiveAlert[]; readonly resolved: readonly ActiveAlert[] } {
  const firing = (alerts: readonly ActiveAlert[]): ReadonlyMap<string, ActiveAlert> =>
    new Map(alerts.filter(({ state }) => state === "firing").map((alert) => [alert.labels.key, alert]));
  const [was, is] = [firing(before), firing(after)];
  return {
    fired: [...is.values()].filter(({ labels }) => !was.has(labels.key)),
    resolved: [...was.values()].filter(({ labels }) => !is.has(labels.key)),
  };
}
