// Validation of an autoscaler: replicas, metrics, and the rate of scaling.
import type {
  V2HorizontalPodAutoscaler,
  V2HPAScalingPolicy,
  V2HPAScalingRules,
  V2MetricSpec,
  V2MetricTarget,
} from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { forbidden, invalid, required, together, unsupported } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
import type { Rules } from "../validation.ts";

const longestWindow = 3600;
const longestPeriod = 1800;

const atMost = (value: number, field: string, most: number) =>
  value > most && invalid(field, value, `must be less than or equal to ${most}`);

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

/** The field of each type of metric. */
const sources = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;
type Source = (typeof sources)[keyof typeof sources];
const inOrder: readonly Source[] = ["object", "external", "pods", "resource", "containerResource"];

/** The values that a source is compared with. */
function validateAim(source: Source, target: V2MetricTarget | undefined) {
  const { averageUtilization, averageValue, value } = target ?? {};
  const path = `${source}.target`;
  const hasAverage = averageValue !== undefined;
  if (source === "pods")
    return !hasAverage && required(`${path}.averageValue`, "must specify a positive target averageValue");
  if (source === "object")
    return (
      !hasAverage &&
      value === undefined &&
      required(`${path}.averageValue`, "must set either a target value or averageValue")
    );
  const isExternal = source === "external";
  const other = isExternal ? value : averageUtilization;
  const both = isExternal
    ? "a target value for metric and a per-pod target"
    : "a target raw value and a target utilization";
  if (hasAverage && other !== undefined)
    return forbidden(`${path}.${isExternal ? "value" : "averageValue"}`, `may not set both ${both}`);
  return (
    !hasAverage &&
    other === undefined &&
    required(
      `${path}.${isExternal ? "averageValue" : "averageUtilization"}`,
      `must set either ${both.replace(" and ", " or ")}`,
    )
  );
}

function validateMetric(spec: V2MetricSpec): readonly Problem[] {
  const { type } = spec;
  const set = inOrder.filter((source) => spec[source] !== undefined);
  const expected = Object.hasOwn(sources, type) ? sources[type] : undefined;
  const unknown = expected === undefined && unsupported("type", type, Object.keys(sources));
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
export const validateAutoscaler = ({
  spec: { maxReplicas, metrics = [], minReplicas = 1 },
}: Draft<V2HorizontalPodAutoscaler>) =>
  together(
    maxReplicas < minReplicas &&
      invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"),
    minReplicas === 0 &&
      !metrics.some(({ type }) => type === "Object" || type === "External") &&
      forbidden("spec.metrics", noScaleToZero),
  );

export const autoscalerRules: Rules = {
  HPAScalingPolicy: ({ periodSeconds }: V2HPAScalingPolicy) =>
    together(atMost(periodSeconds, "periodSeconds", longestPeriod)),
  HPAScalingRules: ({ stabilizationWindowSeconds: seconds = 0, tolerance }: V2HPAScalingRules) =>
    together(
      atMost(seconds, "stabilizationWindowSeconds", longestWindow),
      tolerance !== undefined && validateAmount("", tolerance, "tolerance"),
    ),
  MetricSpec: validateMetric,
  MetricTarget: validateTarget,
};
