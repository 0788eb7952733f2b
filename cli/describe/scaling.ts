// Describes HorizontalPodAutoscalers and PodDisruptionBudgets.
import type {
  PodDisruptionBudget,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerBehavior,
  V2HPAScalingRules,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from "../../api/generated/types.ts";
import type { Describer } from "./describer.ts";
import { annotationLines, field, indented, type Lines, labelLines, table, timeText } from "./layout.ts";
import { selectorOrNone } from "./pods.ts";

const unknown = "<unknown>";
const utilization = (value: V2MetricValueStatus | undefined): string =>
  value?.averageUtilization === undefined ? unknown : `${value.averageUtilization}% (${value.averageValue ?? ""})`;

/** A metric of a resource: its utilization or its average. */
function resourceLine(name: string, current: V2MetricValueStatus | undefined, target: V2MetricTarget): string {
  if (target.averageValue !== undefined)
    return field(name, `${current?.averageValue ?? unknown} / ${target.averageValue}`);
  return field(
    `${name}  (as a percentage of request)`,
    `${utilization(current)} / ${target.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`}`,
  );
}

/** A metric of one object: its value, or that divided by the pods. */
function valueLine(name: string, current: V2MetricValueStatus | undefined, target: V2MetricTarget): string {
  const isAverage = target.averageValue !== undefined;
  const [currentValue, targetValue] = isAverage
    ? [current?.averageValue, target.averageValue]
    : [current?.value, target.value];
  return field(
    `${name} (target ${isAverage ? "average " : ""}value)`,
    `${currentValue ?? unknown} / ${targetValue ?? ""}`,
  );
}

function metricLine(metric: V2MetricSpec, status: V2MetricStatus | undefined): string {
  const { resource, containerResource, pods, object, external } = metric;
  if (resource) return resourceLine(`resource ${resource.name} on pods`, status?.resource?.current, resource.target);
  if (containerResource) {
    const { name, container, target } = containerResource;
    const title = `resource ${name} of container "${container}" on pods`;
    return resourceLine(title, status?.containerResource?.current, target);
  }
  if (pods)
    return field(
      `"${pods.metric.name}" on pods`,
      `${status?.pods?.current.averageValue ?? unknown} / ${pods.target.averageValue}`,
    );
  if (object) {
    const { kind, name } = object.describedObject;
    return valueLine(`"${object.metric.name}" on ${kind}/${name}`, status?.object?.current, object.target);
  }
  if (external) return valueLine(`"${external.metric.name}"`, status?.external?.current, external.target);
  return `<unknown metric type "${metric.type}">`;
}

function metricLines({ spec, status }: V2HorizontalPodAutoscaler): Lines {
  const metrics = spec?.metrics ?? [];
  return [
    field("Metrics", "( current / target )"),
    ...metrics.map((metric, i) => `  ${metricLine(metric, status?.currentMetrics?.[i])}`),
  ];
}

const rulesLines = (title: string, rules: V2HPAScalingRules | undefined): Lines =>
  rules === undefined
    ? []
    : [
        `  ${title}:`,
        ...indented(
          [
            ...(rules.stabilizationWindowSeconds === undefined
              ? []
              : [`Stabilization Window: ${rules.stabilizationWindowSeconds} seconds`]),
            ...(rules.policies?.length
              ? [
                  ...(rules.selectPolicy ? [`Select Policy: ${rules.selectPolicy}`] : ["Select Policy: Max"]),
                  "Policies:",
                  ...rules.policies.map(
                    ({ type, value, periodSeconds }) =>
                      `  - Type: ${type}\tValue: ${value}\tPeriod: ${periodSeconds} seconds`,
                  ),
                ]
              : []),
          ],
          2,
        ),
      ];

const behaviorLines = (behavior: V2HorizontalPodAutoscalerBehavior | undefined): Lines =>
  behavior === undefined
    ? []
    : ["Behavior:", ...rulesLines("Scale Up", behavior.scaleUp), ...rulesLines("Scale Down", behavior.scaleDown)];

/** Described in version 2, whichever version was read. */
export const autoscalerDescriber: Describer<V2HorizontalPodAutoscaler, V2HorizontalPodAutoscaler> = {
  related: async (autoscaler, api) => {
    const { name, namespace } = autoscaler.metadata;
    if (autoscaler.apiVersion === "autoscaling/v2") return autoscaler;
    return api.get(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`);
  },
  lines: (_, { related: autoscaler }) => {
    const { metadata, spec, status } = autoscaler;
    const target = spec?.scaleTargetRef;
    const conditions = status?.conditions ?? [];
    const rows = conditions.map(({ type, status: value, reason = "", message = "" }) => [type, value, reason, message]);
    return [
      field("Name", metadata.name),
      field("Namespace", metadata.namespace),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("CreationTimestamp", timeText(metadata.creationTimestamp)),
      field("Reference", `${target?.kind}/${target?.name}`),
      ...metricLines(autoscaler),
      field("Min replicas", spec?.minReplicas ?? "<unset>"),
      field("Max replicas", spec?.maxReplicas),
      ...behaviorLines(spec?.behavior),
      field(
        `${target?.kind} pods`,
        `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`,
      ),
      ...(rows.length === 0 ? [] : ["Conditions:", ...indented(table(["Type", "Status", "Reason", "Message"], rows))]),
    ];
  },
};

export const disruptionBudgetDescriber: Describer<PodDisruptionBudget> = {
  lines: ({ metadata, spec, status }) => [
    field("Name", metadata.name),
    field("Namespace", metadata.namespace),
    ...(spec?.minAvailable === undefined ? [] : [field("Min available", spec.minAvailable)]),
    ...(spec?.maxUnavailable === undefined ? [] : [field("Max unavailable", spec.maxUnavailable)]),
    field("Selector", spec?.selector ? selectorOrNone(spec.selector) : "<unset>"),
    "Status:",
    ...indented(
      [
        field("Allowed disruptions", status?.disruptionsAllowed ?? 0),
        field("Current", status?.currentHealthy ?? 0),
        field("Desired", status?.desiredHealthy ?? 0),
        field("Total", status?.expectedPods ?? 0),
      ],
      2,
    ),
  ],
};
