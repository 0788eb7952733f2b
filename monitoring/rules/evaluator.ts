// Evaluates the groups of rules at their intervals, stores what they record, and reports what alerts become.
import type { World } from "../../machinery/world.ts";
import { instantQuery, type Queryable, type VectorSample } from "../promql/query.ts";
import { Labels, metricName } from "../series/labels.ts";
import { matcher } from "../series/matchers.ts";
import type { MetricStore } from "../store/store.ts";
import {
  type ActiveAlert,
  alertChanges,
  type EvaluatedGroup,
  type EvaluatedRule,
  nextAlerts,
  type Rule,
  type RuleGroup,
  type RuleState,
} from "./groups.ts";

/** Groups with the name of the file that they are from. */
export interface RuleFile {
  readonly file: string;
  readonly groups: readonly RuleGroup[];
}
export interface RuleEvaluator {
  /** Evaluates the groups that are due. */
  evaluate(files: readonly RuleFile[], now: number): Promise<void>;
  state(): RuleState;
}
export interface AlertListener {
  fired(alert: ActiveAlert): void;
  resolved(alert: ActiveAlert): void;
}

/** Alerts that were active before a restart have their former beginning if that was at most this long. */
const longestOutageMs = 3_600_000;
const stateMetric = "ALERTS_FOR_STATE";

const idOf = (file: string, { name }: RuleGroup): string => `${file}\u0000${name}`;

function samplesOf(result: Awaited<ReturnType<typeof instantQuery>>): readonly VectorSample[] {
  if (result.type === "vector") return result.samples;
  if (result.type === "scalar") return [{ labels: Labels.of([]), value: result.value }];
  throw new Error(`the result of a rule must be a vector or a scalar, not a ${result.type}`);
}

/** The series of alerts: whether each is active, and since when. */
const alertSeries = ({ labels, state, activeAt }: ActiveAlert): readonly (readonly [Labels, number])[] => [
  [labels.with(["alertstate", state], [metricName, "ALERTS"]), 1],
  [labels.with([metricName, stateMetric]), activeAt / 1000],
];

/** When alerts began to be active, as the store has it from before a restart. */
async function formerBeginnings(store: MetricStore, now: number): Promise<ReadonlyMap<string, number>> {
  const series = await store.select([matcher(metricName, "=", stateMetric)], now - longestOutageMs, now);
  return new Map(
    series.flatMap(({ labels, values, ended }) =>
      ended?.at(-1) === 1 ? [] : [[labels.withoutName().key, values.at(-1)! * 1000] as const],
    ),
  );
}

export function ruleEvaluator(store: MetricStore, listener: AlertListener, { clock, log }: World): RuleEvaluator {
  const over: Queryable = { select: store.select };
  let groups = new Map<string, EvaluatedGroup>();
  let since: ReadonlyMap<string, number> | undefined;
  const stored = new Map<string, ReadonlySet<number>>();

  const evaluateRule = async (
    rule: Rule,
    before: EvaluatedRule | undefined,
    now: number,
    record: (labels: Labels, value: number) => void,
  ): Promise<EvaluatedRule> => {
    const alerts = before?.alerts ?? [];
    try {
      const samples = samplesOf(await instantQuery(rule.query, now, over));
      if (rule.type === "record") {
        for (const { labels, value } of samples)
          record(labels.with(...Object.entries(rule.labels), [metricName, rule.name]), value);
        return { rule, alerts: [] };
      }
      const next = nextAlerts(rule, alerts, samples, now, since);
      const { fired, resolved } = alertChanges(alerts, next);
      // Alerts that fired before a restart were reported then.
      for (const alert of fired) if (!since?.has(alert.labels.key)) listener.fired(alert);
      for (const alert of resolved) listener.resolved(alert);
      for (const alert of next) for (const [labels, value] of alertSeries(alert)) record(labels, value);
      return { rule, alerts: next };
    } catch (e) {
      const error = (e as Error).message;
      if (before?.error !== error) log("a rule cannot be evaluated", { rule: rule.name, error });
      return { rule, alerts, error };
    }
  };
  const evaluateGroup = async (file: string, group: RuleGroup, now: number): Promise<EvaluatedGroup> => {
    const id = idOf(file, group);
    const before = groups.get(id);
    const began = clock.now();
    const samples = new Map<number, number>();
    const rules: EvaluatedRule[] = [];
    const record = (labels: Labels, value: number): void => {
      const reference = store.reference(labels);
      if (reference !== undefined) samples.set(reference, value);
    };
    for (const [i, rule] of group.rules.entries()) {
      const same = before?.rules[i]?.rule.query === rule.query ? before.rules[i] : undefined;
      rules.push(await evaluateRule(rule, same, now, record));
    }
    const ended = [...(stored.get(id) ?? [])].filter((reference) => !samples.has(reference));
    stored.set(id, new Set(samples.keys()));
    if (samples.size + ended.length > 0)
      store.add({ time: now, references: [...samples.keys()], values: [...samples.values()], ended });
    return { group, file, rules, lastEvaluation: now, seconds: (clock.now() - began) / 1000 };
  };
  return {
    async evaluate(files, now) {
      since ??= await formerBeginnings(store, now);
      const next = new Map<string, EvaluatedGroup>();
      for (const { file, groups: all } of files)
        for (const group of all) {
          const before = groups.get(idOf(file, group));
          const isDue = !before || now - before.lastEvaluation >= group.intervalMs - 500 || before.group !== group;
          next.set(idOf(file, group), isDue ? await evaluateGroup(file, group, now) : before);
        }
      groups = next;
      since = new Map();
    },
    state: () => ({ groups: [...groups.values()] }),
  };
}
