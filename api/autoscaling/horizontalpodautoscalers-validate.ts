// What can be wrong with an autoscaler: its bounds, what it measures, and how fast it may go.
import type {
  V2CrossVersionObjectReference,
  V2HorizontalPodAutoscaler,
  V2HPAScalingPolicy,
  V2HPAScalingRules,
  V2MetricIdentifier,
  V2MetricSpec,
  V2MetricTarget,
} from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validatePathSegment, validateSubdomainName } from "../names.ts";
import { forbidden, invalid, notNegative, oneOf, required, unsupported } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount, validateContainerResourceName } from "../resource-names.ts";

const longestWindow = 3600;
const longestPeriod = 1800;

function validatePolicy({ type, value, periodSeconds }: V2HPAScalingPolicy, path: string): readonly Problem[] {
  return [
    ...oneOf(type, `${path}.type`, ["Percent", "Pods"]),
    ...(value > 0 ? [] : [invalid(`${path}.value`, value, "must be greater than zero")]),
    ...(periodSeconds > 0 ? [] : [invalid(`${path}.periodSeconds`, periodSeconds, "must be greater than zero")]),
    ...(periodSeconds > longestPeriod
      ? [invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${longestPeriod}`)]
      : []),
  ];
}

function validateRules(r: V2HPAScalingRules | undefined, path: string): readonly Problem[] {
  if (r === undefined) return [];
  const { policies = [], selectPolicy, stabilizationWindowSeconds: seconds = 0, tolerance } = r;
  const window = `${path}.stabilizationWindowSeconds`;
  return [
    ...(seconds < 0 ? [invalid(window, seconds, "must be greater than or equal to zero")] : []),
    ...(seconds > longestWindow ? [invalid(window, seconds, `must be less than or equal to ${longestWindow}`)] : []),
    ...oneOf(selectPolicy, `${path}.selectPolicy`, ["Disabled", "Max", "Min"]),
    ...(policies.length > 0 ? [] : [required(`${path}.policies`, "must specify at least one Policy")]),
    ...policies.flatMap((policy, i) => validatePolicy(policy, `${path}.policies[${i}]`)),
    ...(tolerance === undefined ? [] : validateAmount("", tolerance, `${path}.tolerance`)),
  ];
}

function validateReference(ref: V2CrossVersionObjectReference | undefined, path: string): readonly Problem[] {
  const named = (field: "kind" | "name"): readonly Problem[] =>
    ref?.[field] ? validatePathSegment(ref[field], `${path}.${field}`) : [required(`${path}.${field}`)];
  return [...named("kind"), ...named("name")];
}

const targets = ["Utilization", "Value", "AverageValue"];
const isPositive = (text: string | undefined): boolean => text === undefined || (parseQuantity(text)?.nano ?? 0n) > 0n;

function validateTarget(t: V2MetricTarget | undefined, path: string): readonly Problem[] {
  const { averageUtilization: share, averageValue, type = "", value } = t ?? {};
  return [
    ...(type === "" ? [required(`${path}.type`, "must specify a metric target type")] : []),
    ...(targets.includes(type)
      ? []
      : [invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue")]),
    ...(isPositive(value) ? [] : [invalid(`${path}.value`, value, "must be positive")]),
    ...(isPositive(averageValue) ? [] : [invalid(`${path}.averageValue`, averageValue, "must be positive")]),
    ...(share !== undefined && share < 1
      ? [invalid(`${path}.averageUtilization`, share, "must be greater than 0")]
      : []),
  ];
}

const validateMetricName = (metric: V2MetricIdentifier | undefined, path: string): readonly Problem[] =>
  metric?.name
    ? validatePathSegment(metric.name, `${path}.name`)
    : [required(`${path}.name`, "must specify a metric name")];

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

function validateSource(kind: Kind, spec: V2MetricSpec, path: string): readonly Problem[] {
  const { containerResource: ofContainer, object, resource } = spec;
  const name = (resource ?? ofContainer)?.name;
  return [
    ...(kind === "object" ? validateReference(object?.describedObject, `${path}.describedObject`) : []),
    ...(kind === "object" || kind === "external" || kind === "pods"
      ? validateMetricName(spec[kind]?.metric, `${path}.metric`)
      : []),
    ...(kind === "resource" || kind === "containerResource"
      ? name
        ? []
        : [required(`${path}.name`, "must specify a resource name")]
      : []),
    ...(kind === "containerResource" && name ? validateContainerResourceName(name, `${path}.name`) : []),
    ...(kind === "containerResource"
      ? ofContainer?.container
        ? validateLabelName(ofContainer.container, `${path}.container`)
        : [required(`${path}.container`, "must specify a container")]
      : []),
    ...validateTarget(spec[kind]?.target, `${path}.target`),
    ...validateAim(kind, spec[kind]?.target, `${path}.target`),
  ];
}

function validateMetric(spec: V2MetricSpec, path: string): readonly Problem[] {
  const { type = "" } = spec;
  const told = kinds.filter((kind) => spec[kind] !== undefined);
  const expected = kindOf[type];
  const unknown = unsupported(`${path}.type`, type, types);
  return [
    ...(type === "" ? [required(`${path}.type`, "must specify a metric source type")] : []),
    ...(expected ? [] : [unknown]),
    ...told.slice(0, 1).flatMap((kind) => validateSource(kind, spec, `${path}.${kind}`)),
    ...(expected && spec[expected] === undefined
      ? [required(`${path}.${expected}`, "must populate information for the given metric source")]
      : []),
    ...(expected ? [] : [unknown]),
    ...(told.length === 1
      ? []
      : told
          .filter((kind) => kind !== expected)
          .map((kind) => forbidden(`${path}.${kind}`, "must populate the given metric source only"))),
  ];
}

/** What is wrong with an autoscaler. Down to nothing it goes only where something else than pods is measured. */
export function validateAutoscaler({ metadata, spec }: Draft<V2HorizontalPodAutoscaler>): readonly Problem[] {
  const { behavior, maxReplicas, metrics = [], minReplicas } = spec;
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...(minReplicas !== undefined && minReplicas < 1
      ? [invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1")]
      : []),
    ...(maxReplicas < 1 ? [invalid("spec.maxReplicas", maxReplicas, "must be greater than 0")] : []),
    ...(minReplicas !== undefined && maxReplicas < minReplicas
      ? [invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`")]
      : []),
    ...validateReference(spec.scaleTargetRef, "spec.scaleTargetRef"),
    ...metrics.flatMap((metric, i) => validateMetric(metric, `spec.metrics[${i}]`)),
    ...(minReplicas === 0 && !metrics.some((m) => m.type === "Object" || m.type === "External")
      ? [
          forbidden(
            "spec.metrics",
            "must specify at least one Object or External metric to support scaling to zero replicas",
          ),
        ]
      : []),
    ...validateRules(behavior?.scaleUp, "spec.behavior.scaleUp"),
    ...validateRules(behavior?.scaleDown, "spec.behavior.scaleDown"),
  ];
}

/** What is wrong with what an autoscaler is said to have come to. */
export const validateAutoscalerStatus = ({ status }: V2HorizontalPodAutoscaler): readonly Problem[] => [
  ...notNegative(status?.currentReplicas, "status.currentReplicas"),
  ...notNegative(status?.desiredReplicas, "status.desiredReplicas"),
];
