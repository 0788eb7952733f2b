// HorizontalPodAutoscaler as it was spoken of before there were metrics other than CPU. What the old words cannot say
// travels in annotations, as it does in Kubernetes, so that a change made in them loses nothing.
import type {
  HorizontalPodAutoscaler as OldAutoscaler,
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { ApiObject, Draft } from "../meta.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { horizontalPodAutoscalers } from "./horizontalpodautoscalers.ts";

type Spec = V2HorizontalPodAutoscaler["spec"];
type Status = NonNullable<V2HorizontalPodAutoscaler["status"]>;

const annotation = (of: string): string => `autoscaling.alpha.kubernetes.io/${of}`;
const carried = ["metrics", "behavior", "current-metrics", "conditions"].map(annotation);

const isPlainCpu = (m: V2MetricSpec): boolean =>
  m.type === "Resource" && m.resource?.name === "cpu" && m.resource.target.averageUtilization !== undefined;
const cpuMetric = (averageUtilization: number): V2MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});

const annotated = (texts: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts)
      .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
      .map(([of, value]) => [annotation(of), JSON.stringify(value)]),
  );

/** The old words, and in annotations what they lack. */
export function inOldWords(autoscaler: V2HorizontalPodAutoscaler): OldAutoscaler {
  const { metadata, spec, status, ...rest } = autoscaler;
  const { metrics = [], behavior, ...kept } = spec;
  const cpu = metrics.find(isPlainCpu);
  const { currentMetrics = [], conditions, ...counted }: Status = status ?? { desiredReplicas: 0 };
  const used = currentMetrics.find((m) => m.resource?.name === "cpu")?.resource?.current.averageUtilization;
  const other = metrics.filter((m) => m !== cpu);
  const annotations = {
    ...metadata.annotations,
    ...annotated({ metrics: other, behavior, "current-metrics": currentMetrics, conditions }),
  };
  return {
    ...rest,
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: {
      ...kept,
      ...(cpu && { targetCPUUtilizationPercentage: cpu.resource!.target.averageUtilization }),
    },
    status: {
      currentReplicas: 0,
      ...counted,
      ...(used !== undefined && { currentCPUUtilizationPercentage: used }),
    },
  };
}

function parsed<T>(annotations: Readonly<Record<string, string>>, of: string): T | undefined {
  try {
    return JSON.parse(annotations[annotation(of)] ?? "null") ?? undefined;
  } catch {
    // A user wrote something of their own there: it says nothing to us.
    return undefined;
  }
}

/** Undo {@link inOldWords}. */
export function inNewWords(draft: Draft<OldAutoscaler>): Draft<V2HorizontalPodAutoscaler> {
  const { metadata, spec, status, ...rest } = draft;
  const { annotations = {}, ...meta } = metadata;
  const { targetCPUUtilizationPercentage: cpu, ...kept } = spec;
  const others = parsed<readonly V2MetricSpec[]>(annotations, "metrics") ?? [];
  const metrics = [...(cpu === undefined ? [] : [cpuMetric(cpu)]), ...others];
  const behavior = parsed<Spec["behavior"]>(annotations, "behavior");
  const left = Object.entries(annotations).filter(([name]) => !carried.includes(name));
  const { currentCPUUtilizationPercentage: _, ...counted } = status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const currentMetrics = parsed<Status["currentMetrics"]>(annotations, "current-metrics");
  const conditions = parsed<Status["conditions"]>(annotations, "conditions");
  return {
    ...rest,
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...meta, ...(left.length > 0 && { annotations: Object.fromEntries(left) }) },
    spec: { ...kept, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    status: { ...counted, ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) },
  };
}

export const horizontalPodAutoscalersV1 = define<OldAutoscaler>({
  group: "autoscaling",
  kind: "HorizontalPodAutoscaler",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status"],
  form: {
    of: horizontalPodAutoscalers,
    toStored: (draft) => inNewWords(draft as Draft<OldAutoscaler>) as Draft<ApiObject>,
    fromStored: (object) => inOldWords(object as V2HorizontalPodAutoscaler),
  },
  columns: [
    nameColumn,
    { name: "Reference", cell: (h) => `${h.spec.scaleTargetRef.kind}/${h.spec.scaleTargetRef.name}` },
    {
      name: "Targets",
      cell: ({ spec, status }) => {
        const used = status?.currentCPUUtilizationPercentage;
        const aim = spec.targetCPUUtilizationPercentage;
        return `${used === undefined ? "<unknown>" : `${used}%`}/${aim === undefined ? "<unset>" : `${aim}%`}`;
      },
    },
    { name: "MinPods", cell: (h) => h.spec.minReplicas ?? "<unset>" },
    { name: "MaxPods", type: "integer", cell: (h) => h.spec.maxReplicas },
    { name: "Replicas", type: "integer", cell: (h) => h.status?.currentReplicas ?? 0 },
    ageColumn,
  ],
});
