// What can be wrong with an autoscaler: its bounds, what it measures, and how fast it may go.
import type {
  V2HorizontalPodAutoscaler,
  V2HPAScalingPolicy,
  V2HPAScalingRules,
  V2MetricSpec,
  V2MetricTarget,
} from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { forbidden, invalid, required, unsupported } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
import type { Rules } from "../validation.ts";

const longestWindow = 3600;
const longestPeriod = 1800;

const validatePolicy = ({ periodSeconds }: V2HPAScalingPolicy, path: string): readonly Problem[] => [
  ...(periodSeconds > 0 ? [] : [invalid(`${path}.periodSeconds`, periodSeconds, "must be greater than zero")]),
  ...(periodSeconds > longestPeriod
    ? [invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${longestPeriod}`)]
    : []),
];

function validateRules(r: V2HPAScalingRules, path: string): readonly Problem[] {
  const { stabilizationWindowSeconds: seconds = 0, tolerance } = r;
  const window = `${path}.stabilizationWindowSeconds`;
  return [
    ...(seconds < 0 ? [invalid(window, seconds, "must be greater than or equal to zero")] : []),
    ...(seconds > longestWindow ? [invalid(window, seconds, `must be less than or equal to ${longestWindow}`)] : []),
    ...(tolerance === undefined ? [] : validateAmount("", tolerance, `${path}.tolerance`)),
  ];
}

const targets = ["Utilization", "Value", "AverageValue"];
const isPositive = (text: string | undefined): boolean => text === undefined || (parseQuantity(text)?.nano ?? 0n) > 0n;

function validateTarget({ averageValue, type, value }: V2MetricTarget, path: string): readonly Problem[] {
  return [
    ...(type === "" ? [required(`${path}.type`, "must specify a metric target type")] : []),
    ...(targets.includes(type)
      ? []
      : [invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue")]),
    ...(isPositive(value) ? [] : [invalid(`${path}.value`, value, "must be positive")]),
    ...(isPositive(averageValue) ? [] : [invalid(`${path}.averageValue`, averageValue, "must be positive")]),
  ];
}

/** What each source must measure itself against. */
function validateAim(kind: Kind, target: V2MetricTarget | undefined, path: string): readonly Problem[] {
  const { averageUtilization: share, averageValue, value } = target ?? {};
  if (kind === "pods")
    return averageValue === undefined
      ? [required(`${path}.averageValue`, "must specify a positive target averageValue")]
      : [];
  if (kind === "object" || kind === "external") {
    const either =
      kind === "object"
        ? "must set either a target value or averageValue"
        : "must set either a target value for metric or a per-pod target";
    const both = kind === "external" && value !== undefined && averageValue !== undefined;
    return [
      ...(value === undefined && averageValue === undefined ? [required(`${path}.averageValue`, either)] : []),
      ...(both ? [forbidden(`${path}.value`, "may not set both a target value for metric and a per-pod target")] : []),
    ];
  }
  return [
    ...(share === undefined && averageValue === undefined
      ? [required(`${path}.averageUtilization`, "must set either a target raw value or a target utilization")]
      : []),
    ...(share !== undefined && averageValue !== undefined
      ? [forbidden(`${path}.averageValue`, "may not set both a target raw value and a target utilization")]
      : []),
  ];
}

const kinds = ["object", "external", "pods", "resource", "containerResource"] as const;
type Kind = (typeof kinds)[number];
const kindOf: Readonly<Record<string, Kind>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};
const types = Object.keys(kindOf);

function validateMetric(spec: V2MetricSpec, path: string): readonly Problem[] {
  const { type = "" } = spec;
  const sources = kinds.filter((kind) => spec[kind] !== undefined);
  const expected = kindOf[type];
  const unknown = unsupported(`${path}.type`, type, types);
  return [
    ...(type === "" ? [required(`${path}.type`, "must specify a metric source type")] : []),
    ...(expected ? [] : [unknown]),
    ...sources.slice(0, 1).flatMap((kind) => validateAim(kind, spec[kind]?.target, `${path}.${kind}.target`)),
    ...(expected && spec[expected] === undefined
      ? [required(`${path}.${expected}`, "must populate information for the given metric source")]
      : []),
    ...(expected ? [] : [unknown]),
    ...(sources.length === 1
      ? []
      : sources
          .filter((kind) => kind !== expected)
          .map((kind) => forbidden(`${path}.${kind}`, "must populate the given metric source only"))),
  ];
}

/** What is wrong with an autoscaler. Down to nothing it goes only where something else than pods is measured. */
export function validateAutoscaler({ spec }: Draft<V2HorizontalPodAutoscaler>): readonly Problem[] {
  const { maxReplicas, metrics = [], minReplicas } = spec;
  return [
    ...(minReplicas !== undefined && maxReplicas < minReplicas
      ? [invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`")]
      : []),
    ...(minReplicas === 0 && !metrics.some((m) => m.type === "Object" || m.type === "External")
      ? [
          forbidden(
            "spec.metrics",
            "must specify at least one Object or External metric to support scaling to zero replicas",
          ),
        ]
      : []),
  ];
}

export const autoscalerRules: Rules = {
  HPAScalingPolicy: validatePolicy,
  HPAScalingRules: validateRules,
  MetricSpec: validateMetric,
  MetricTarget: validateTarget,
};
