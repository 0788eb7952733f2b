// HorizontalPodAutoscaler (autoscaling/v2): scales a workload by metrics, within bounds.
import type {
  V2HPAScalingPolicy,
  V2HPAScalingRules,
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from "../generated/types.ts";
import { type Column, define } from "../kinds.ts";
import type { ApiObject, Draft } from "../meta.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { forbidden, invalid, none, required, together, unsupported } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
import type { Rules } from "../validation.ts";

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

type Measured = Partial<V2MetricValueStatus>;

/** The field of a type of metric. */
const sourceOf = (type: V2MetricSpec["type"]): Source => `${type.charAt(0).toLowerCase()}${type.slice(1)}` as Source;

const shown = 2;

/** The current value of a metric and its target, as a column shows them. */
function metricText(spec: V2MetricSpec, status: V2MetricStatus | undefined): string {
  const source = sourceOf(spec.type);
  const target: V2MetricTarget | undefined = spec[source]?.target;
  const current: Measured | undefined = status?.[source]?.current;
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

const validatePositive = (amount: string | undefined, field: string) =>
  amount !== undefined && (parseQuantity(amount)?.nano ?? 0n) <= 0n && invalid(field, amount, "must be positive");

const validateTarget = ({ averageValue, type, value }: V2MetricTarget) =>
  together(
    type === "" && required("type", "must specify a metric target type"),
    !["Utilization", "Value", "AverageValue"].includes(type) &&
      invalid("type", type, "must be either Utilization, Value, or AverageValue"),
    validatePositive(value, "value"),
    validatePositive(averageValue, "averageValue"),
  );

type Amount = "averageUtilization" | "averageValue" | "value";
type Aim = readonly [fields: readonly Amount[], missing: string, both?: string];
const ofResource: Aim = [
  ["averageValue", "averageUtilization"],
  "must set either a target raw value or a target utilization",
  "may not set both a target raw value and a target utilization",
];
/** The amounts of which a source needs one as its target, and the details where it has none, or two. */
const aims = {
  object: [["value", "averageValue"], "must set either a target value or averageValue"],
  external: [
    ["value", "averageValue"],
    "must set either a target value for metric or a per-pod target",
    "may not set both a target value for metric and a per-pod target",
  ],
  pods: [["averageValue"], "must specify a positive target averageValue"],
  resource: ofResource,
  containerResource: ofResource,
} as const satisfies Readonly<Record<string, Aim>>;
type Source = keyof typeof aims;

function validateAim(source: Source, target: V2MetricTarget | undefined) {
  const [fields, missing, both]: Aim = aims[source];
  const set = fields.filter((field) => target?.[field] !== undefined);
  if (set.length === 0) return required(`${source}.target.${fields.at(-1)}`, missing);
  return set.length > 1 && both !== undefined && forbidden(`${source}.target.${fields[0]}`, both);
}

const types = Object.keys(aims)
  .map((source) => source.charAt(0).toUpperCase() + source.slice(1))
  .toSorted();

function validateMetric(spec: V2MetricSpec): readonly Problem[] {
  const { type } = spec;
  const set = (Object.keys(aims) as Source[]).filter((source) => spec[source] !== undefined);
  const expected = types.includes(type) ? sourceOf(type) : undefined;
  const unknown = expected === undefined && unsupported("type", type, types);
  const [first] = set;
  return together(
    (type as string) === "" && required("type", "must specify a metric source type"),
    unknown,
    first && validateAim(first, spec[first]?.target),
    expected &&
      spec[expected] === undefined &&
      required(expected, "must populate information for the given metric source"),
    unknown,
    set.length > 1 &&
      set
        .filter((source) => source !== expected)
        .map((source) => forbidden(source, "must populate the given metric source only")),
  );
}

const noScaleToZero = "must specify at least one Object or External metric to support scaling to zero replicas";
/** Without pods there is nothing to measure, so zero replicas need a metric of something else. */
const validateAutoscaler = ({
  spec: { maxReplicas, metrics = [], minReplicas = 1 },
}: Draft<V2HorizontalPodAutoscaler>) =>
  together(
    maxReplicas < minReplicas &&
      invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"),
    minReplicas === 0 &&
      !metrics.some(({ type }) => type === "Object" || type === "External") &&
      forbidden("spec.metrics", noScaleToZero),
  );

const autoscalerRules: Rules = {
  HPAScalingRules: ({ tolerance }: V2HPAScalingRules) =>
    tolerance === undefined ? none : validateAmount("", tolerance, "tolerance"),
  MetricSpec: validateMetric,
  MetricTarget: validateTarget,
};

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
