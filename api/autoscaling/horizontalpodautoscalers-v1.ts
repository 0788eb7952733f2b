// HorizontalPodAutoscaler (autoscaling/v1), which has one metric, CPU. The rest of autoscaling/v2 is kept in
// annotations, as in Kubernetes, so that the conversion there and back loses nothing.
import type {
  HorizontalPodAutoscaler,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerCondition as Condition,
  V2HorizontalPodAutoscalerStatus as Status,
  V2MetricSpec,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { ApiObject, Draft } from "../meta.ts";
import { behaviorFromV1, behaviorToV1, metricFromV1, metricToV1, statusFromV1, statusToV1 } from "./metrics-v1.ts";
import { autoscaler, autoscalerColumns, horizontalPodAutoscalers } from "./horizontalpodautoscalers.ts";

const prefix = "autoscaling.alpha.kubernetes.io/";
const kept: ReadonlySet<string> = new Set([
  ...["metrics", "behavior", "current-metrics", "conditions", "scale-down-tolerance", "scale-up-tolerance"],
]);

/** The annotations without those of the conversion. */
const withoutKept = (annotations: Readonly<Record<string, string>> | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(annotations ?? {}).filter(
      ([name]) => !(name.startsWith(prefix) && kept.has(name.slice(prefix.length))),
    ),
  );

const isPlainCpu = ({ type, resource }: V2MetricSpec): boolean =>
  type === "Resource" && resource?.name === "cpu" && resource.target.averageUtilization !== undefined;

/** Fields of v2 as annotations; empty lists are left out. */
const annotated = (fields: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
      .map(([field, value]) => [prefix + field, JSON.stringify(value)]),
  );

export function toV1({ metadata, spec, status, ...rest }: V2HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const { metrics = [], behavior, ...shared } = spec;
  const { currentMetrics = [], conditions, ...counts }: Status = status ?? { desiredReplicas: 0 };
  const cpu = metrics.find(isPlainCpu);
  const used = currentMetrics.find((m) => m.resource?.name === "cpu")?.resource?.current.averageUtilization;
  const others = metrics.filter((m) => !isPlainCpu(m)).map(metricToV1);
  const statuses = currentMetrics.map(statusToV1);
  const fields = {
    ...{ metrics: others, "current-metrics": statuses },
    ...{ behavior: behavior && behaviorToV1(behavior), conditions: conditions?.map(inOrder) },
  };
  const annotations = { ...withoutKept(metadata.annotations), ...annotated(fields) };
  return {
    ...rest,
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...shared, ...(cpu && { targetCPUUtilizationPercentage: cpu.resource!.target.averageUtilization }) },
    status: { currentReplicas: 0, ...counts, ...(used !== undefined && { currentCPUUtilizationPercentage: used }) },
  };
}

/** The fields of a condition in Kubernetes' order. */
const inOrder = ({ type, status, lastTransitionTime = null!, reason, message }: Condition): Condition => ({
  ...{ type, status, lastTransitionTime },
  ...(reason !== undefined && { reason }),
  ...(message !== undefined && { message }),
});

const compactCondition = ({ lastTransitionTime, ...condition }: Condition): Condition => ({
  ...condition,
  ...(lastTransitionTime && { lastTransitionTime }),
});

/** What an annotation keeps, converted; undefined where a user wrote something else there. */
function parsed<T>(
  annotations: Readonly<Record<string, string>>,
  field: string,
  convert: (value: unknown) => T,
): T | undefined {
  try {
    const value: unknown = JSON.parse(annotations[prefix + field] ?? "null");
    return value === null ? undefined : convert(value);
  } catch {
    return undefined;
  }
}
/** Converts each item of a list, or throws where it is none. */
const each =
  <A extends object, B>(convert: (item: A) => B) =>
  (list: unknown): readonly B[] => {
    if (!Array.isArray(list) || list.some((item) => typeof item !== "object")) throw new TypeError("no objects");
    return list.map(convert);
  };

/** The zero value of a spec, which is equivalent to an absent one. */
const noSpec = { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } };

export function toV2({ metadata, spec = noSpec, status, ...rest }: Draft<HorizontalPodAutoscaler>) {
  const { annotations = {}, ...meta } = metadata;
  const { targetCPUUtilizationPercentage: averageUtilization, ...shared } = spec;
  const { currentCPUUtilizationPercentage: _, ...counts } = status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const target = { type: "Utilization", averageUtilization };
  const cpu: V2MetricSpec = { type: "Resource", resource: { name: "cpu", target } };
  const others = parsed(annotations, "metrics", each(metricFromV1)) ?? [];
  const metrics = [...others, ...(averageUtilization === undefined ? [] : [cpu])];
  const behavior = parsed(annotations, "behavior", behaviorFromV1);
  const currentMetrics = parsed(annotations, "current-metrics", each(statusFromV1));
  const conditions = parsed<Status["conditions"]>(annotations, "conditions", each(compactCondition));
  const left = withoutKept(annotations);
  return {
    ...rest,
    apiVersion: "autoscaling/v2",
    metadata: { ...meta, ...(Object.keys(left).length > 0 && { annotations: left }) },
    spec: { ...shared, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    status: { ...counts, ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) },
  } satisfies Draft<V2HorizontalPodAutoscaler>;
}

const percent = (share: number | undefined, unset: string): string => (share === undefined ? unset : `${share}%`);

export const horizontalPodAutoscalersV1 = define<HorizontalPodAutoscaler>({
  ...autoscaler,
  form: {
    of: horizontalPodAutoscalers,
    toStored: (draft) => toV2(draft as Draft<HorizontalPodAutoscaler>) as Draft<ApiObject>,
    fromStored: (object) => toV1(object as V2HorizontalPodAutoscaler),
  },
  validate: (draft, old) =>
    horizontalPodAutoscalers.validate(toV2(draft), old && (toV2(old) as V2HorizontalPodAutoscaler)),
  columns: autoscalerColumns(({ spec, status }) => {
    const used = percent(status?.currentCPUUtilizationPercentage, "<unknown>");
    return `${used}/${percent(spec.targetCPUUtilizationPercentage, "<unset>")}`;
  }),
});
