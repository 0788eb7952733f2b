// HorizontalPodAutoscaler (autoscaling/v1), which has one metric, CPU. The rest of autoscaling/v2 is kept in
// annotations, as in Kubernetes, so that the conversion there and back loses nothing.
import type {
  HorizontalPodAutoscaler,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerStatus as Status,
  V2MetricSpec,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { ApiObject, Draft } from "../meta.ts";
import { autoscaler, autoscalerColumns, horizontalPodAutoscalers } from "./horizontalpodautoscalers.ts";

const prefix = "autoscaling.alpha.kubernetes.io/";
const kept: ReadonlySet<string> = new Set(["metrics", "behavior", "current-metrics", "conditions"]);

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
  const others = metrics.filter((m) => m !== cpu);
  const fields = { metrics: others, behavior, "current-metrics": currentMetrics, conditions };
  const annotations = { ...metadata.annotations, ...annotated(fields) };
  return {
    ...rest,
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...shared, ...(cpu && { targetCPUUtilizationPercentage: cpu.resource!.target.averageUtilization }) },
    status: { currentReplicas: 0, ...counts, ...(used !== undefined && { currentCPUUtilizationPercentage: used }) },
  };
}

/** A field of v2 from its annotation; undefined where a user wrote something else there. */
function parsed<T>(annotations: Readonly<Record<string, string>>, field: string): T | undefined {
  try {
    return JSON.parse(annotations[prefix + field] ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** The zero value of a spec, which is equivalent to an absent one. */
const noSpec = { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } };

export function toV2({ metadata, spec = noSpec, status, ...rest }: Draft<HorizontalPodAutoscaler>) {
  const { annotations = {}, ...meta } = metadata;
  const { targetCPUUtilizationPercentage: averageUtilization, ...shared } = spec;
  const { currentCPUUtilizationPercentage: _, ...counts } = status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const target = { type: "Utilization", averageUtilization };
  const cpu: V2MetricSpec = { type: "Resource", resource: { name: "cpu", target } };
  const others = parsed<readonly V2MetricSpec[]>(annotations, "metrics") ?? [];
  const metrics = [...(averageUtilization === undefined ? [] : [cpu]), ...others];
  const behavior = parsed<V2HorizontalPodAutoscaler["spec"]["behavior"]>(annotations, "behavior");
  const currentMetrics = parsed<Status["currentMetrics"]>(annotations, "current-metrics");
  const conditions = parsed<Status["conditions"]>(annotations, "conditions");
  const left = Object.entries(annotations).filter(
    ([name]) => !(name.startsWith(prefix) && kept.has(name.slice(prefix.length))),
  );
  return {
    ...rest,
    apiVersion: "autoscaling/v2",
    metadata: { ...meta, ...(left.length > 0 && { annotations: Object.fromEntries(left) }) },
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
