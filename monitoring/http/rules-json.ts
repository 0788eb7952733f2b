// Rules and alerts as Prometheus' JSON.
import { instant, timestamp } from "../../api/meta.ts";
import type { ActiveAlert, RuleState } from "../rules/groups.ts";
import { writeNumber } from "../promql/aggregation.ts";

const alertJson = ({ labels, annotations, state, activeAt, value }: ActiveAlert): object => ({
  labels: labels.toRecord(),
  annotations,
  state,
  activeAt: timestamp(instant(activeAt)),
  value: writeNumber(value),
});

export const alertsJson = ({ groups }: RuleState): object => ({
  alerts: groups.flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts.map(alertJson))),
});

const stateOf = (alerts: readonly ActiveAlert[]): string =>
  alerts.some(({ state }) => state === "firing") ? "firing" : alerts.length > 0 ? "pending" : "inactive";

/** `type` is `alert`, `record` or empty for both. */
export const rulesJson = ({ groups }: RuleState, type: string): object => ({
  groups: groups.map(({ group, file, rules, lastEvaluation, seconds }) => ({
    name: group.name,
    file,
    interval: group.intervalMs / 1000,
    limit: 0,
    rules: rules
      .filter(({ rule }) => type === "" || (type === "alert") === (rule.type === "alert"))
      .map(({ rule, alerts, error }) => ({
        ...(rule.type === "alert"
          ? {
              ...{ state: stateOf(alerts), name: rule.name, query: rule.query, duration: rule.forMs / 1000 },
              ...{ keepFiringFor: rule.keepFiringForMs / 1000, annotations: rule.annotations },
              alerts: alerts.map(alertJson),
              type: "alerting",
            }
          : { name: rule.name, query: rule.query, type: "recording" }),
        labels: rule.labels,
        health: error === undefined ? "ok" : "err",
        ...(error !== undefined && { lastError: error }),
        evaluationTime: seconds,
        lastEvaluation: timestamp(instant(lastEvaluation)),
      })),
    evaluationTime: seconds,
    lastEvaluation: timestamp(instant(lastEvaluation)),
  })),
});
