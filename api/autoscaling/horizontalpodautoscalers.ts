// HorizontalPodAutoscaler (autoscaling/v2): scales a workload by metrics, within bounds.
import type {
  V2HorizontalPodAutoscaler,
  V2HPAScalingPolicy,
  V2HPAScalingRules,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
} from "../generated/types.ts";
import { type Column, define } from "../kinds.ts";
import type { ApiObject, Draft } from "../meta.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { autoscalerRules, validateAutoscaler } from "./horizontalpodautoscalers-validate.ts";

export type { V2HorizontalPodAutoscaler as HorizontalPodAutoscaler } from "../generated/types.ts";
type HorizontalPodAutoscaler = V2HorizontalPodAutoscaler;

const byPercent = (value: number): V2HPAScalingPolicy => ({ type: "Percent", value, periodSeconds: 15 });
const upRules: V2HPAScalingRules = {
  selectPolicy: "Max",
  stabilizationWindowSeconds: 0,
  policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, byPercent(100)],
};
const downRules: V2HPAScalingRules = { selectPolicy: "Max", policies: [byPercent(100)] };
/** Completes the behaviour in both directions where it has one in either. */
function defaults(d: Draft<HorizontalPodAutoscaler>): Draft<HorizontalPodAutoscaler> {
  const { behavior } = d.spec;
  if (!behavior) return d;
  const scaleUp = { ...upRules, ...behavior.scaleUp };
  const scaleDown = { ...downRules, ...behavior.scaleDown };
  return { ...d, spec: { ...d.spec, behavior: { ...behavior, scaleUp, scaleDown } } };
}

interface Measured {
  readonly current?: { readonly averageUtilization?: number; readonly averageValue?: string; readonly value?: string };
}
const shown = 2;

/** The current value of a metric and its target, as a column shows them. */
function metricText(spec: V2MetricSpec, status: V2MetricStatus | undefined): string {
  const kind = `${spec.type.slice(0, 1).toLowerCase()}${spec.type.slice(1)}` as keyof V2MetricSpec &
    keyof V2MetricStatus;
  const { target } = (spec[kind] ?? {}) as { readonly target?: V2MetricTarget };
  const { current } = (status?.[kind] ?? {}) as Measured;
  const now = (value: string | undefined): string => value ?? "<unknown>";
  const name = spec.resource?.name ?? spec.containerResource?.name;
  if (target === undefined) return "<unknown type>";
  if (name !== undefined) {
    if (target.averageValue !== undefined) return `${name}: ${now(current?.averageValue)}/${target.averageValue}`;
    const [used, aim] = [current?.averageUtilization, target.averageUtilization];
    return `${name}: ${now(used === undefined ? undefined : `${used}%`)}/${aim === undefined ? "<auto>" : `${aim}%`}`;
  }
  if (spec.type === "Pods") return `${now(current?.averageValue)}/${target.averageValue ?? "0"}`;
  return target.averageValue === undefined
    ? `${now(current?.value)}/${target.value ?? "0"}`
    : `${now(current?.averageValue)}/${target.averageValue} (avg)`;
}

/** The first two metrics, and how many more there are. */
function targets({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  const texts = metrics.slice(0, shown).map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  const more = metrics.length > shown ? ` + ${metrics.length - shown} more...` : "";
  return metrics.length === 0 ? "<none>" : texts.join(", ") + more;
}

/** What both versions share. */
export const autoscaler = {
  group: "autoscaling",
  kind: "HorizontalPodAutoscaler",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status"],
} as const;

type EitherVersion = ApiObject & Pick<HorizontalPodAutoscaler, "spec" | "status">;
export const autoscalerColumns = <T extends EitherVersion>(targets: Column<T>["cell"]): readonly Column<T>[] => [
  nameColumn,
  { name: "Reference", cell: ({ spec: { scaleTargetRef: to } }) => `${to.kind}/${to.name}` },
  { name: "Targets", cell: targets },
  { name: "MinPods", cell: (h) => h.spec.minReplicas ?? "<unset>" },
  { name: "MaxPods", type: "integer", cell: (h) => h.spec.maxReplicas },
  { name: "Replicas", type: "integer", cell: (h) => h.status?.currentReplicas ?? 0 },
  ageColumn,
];

export const horizontalPodAutoscalers = define<HorizontalPodAutoscaler>({
  ...autoscaler,
  version: "v2",
  defaults,
  rules: autoscalerRules,
  validate: validateAutoscaler,
  columns: autoscalerColumns(targets),
});
