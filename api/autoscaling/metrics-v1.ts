// Metrics, their statuses and behaviors as Kubernetes keeps them in annotations of autoscaling/v1: in the types of that
// version, which are not those of v2. Pure.
import type {
  V2CrossVersionObjectReference as Reference,
  V2HorizontalPodAutoscalerBehavior as Behavior,
  V2HPAScalingRules,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
} from "../generated/types.ts";
import type { LabelSelectorLike } from "../selector.ts";

/** As an annotation has it, where each field may be missing, or null. */
type Kept<T> = { readonly [F in keyof T]?: T[F] | null | undefined };
type MetricName = Kept<{ metricName: string; selector: LabelSelectorLike; metricSelector: LabelSelectorLike }>;
type OfObject = MetricName & Kept<{ target: Reference; averageValue: string }>;
type OfResource = Kept<{ name: string; container: string }>;
type ResourceTarget = OfResource & Kept<{ targetAverageUtilization: number; targetAverageValue: string }>;
type ResourceStatus = OfResource & Kept<{ currentAverageUtilization: number; currentAverageValue: string }>;
/** A metric of autoscaling/v1. */
type MetricV1 = Kept<{
  type: V2MetricSpec["type"];
  object: OfObject & Kept<{ targetValue: string }>;
  pods: MetricName & Kept<{ targetAverageValue: string }>;
  resource: ResourceTarget;
  containerResource: ResourceTarget;
  external: MetricName & Kept<{ targetValue: string; targetAverageValue: string }>;
}>;
/** The status of a metric of autoscaling/v1. */
type StatusV1 = Kept<{
  type: V2MetricStatus["type"];
  object: OfObject & Kept<{ currentValue: string }>;
  pods: MetricName & Kept<{ currentAverageValue: string }>;
  resource: ResourceStatus;
  containerResource: ResourceStatus;
  external: MetricName & Kept<{ currentValue: string; currentAverageValue: string }>;
}>;

const isUnset = (value: unknown): boolean => value === undefined || value === null;
/** Without the fields that are unset. */
const compact = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isUnset(value))) as T;
const isZero = (quantity: unknown): boolean => isUnset(quantity) || /^0*\.?0*[a-zA-Z]*$/.test(String(quantity));

interface Identified {
  readonly metric: { readonly name: string; readonly selector?: LabelSelectorLike };
}
const named = ({ metric }: Identified) => ({ metricName: metric.name });
const selected = ({ metric: { selector } }: Identified) => selector && { selector };
const metricSelected = ({ metric: { selector } }: Identified) => selector && { metricSelector: selector };
const identified = ({ metricName, selector, metricSelector }: MetricName) => ({
  metric: compact({ name: metricName ?? "", selector: selector ?? metricSelector }),
});
/** The fields of a reference in Kubernetes' order. */
const inOrder = ({ kind, name, apiVersion }: Reference): Reference => ({
  ...{ kind, name, ...(apiVersion !== undefined && { apiVersion }) },
});

/** A metric in the type of v1. */
export function metricToV1({ type, object, pods, resource, containerResource, external }: V2MetricSpec): MetricV1 {
  const usage = ({ name, target }: { readonly name: string; readonly target: V2MetricTarget }) => ({
    ...{ name, targetAverageUtilization: target.averageUtilization, targetAverageValue: target.averageValue },
  });
  return compact<MetricV1>({
    type,
    object: object && {
      ...{ target: inOrder(object.describedObject), ...named(object), targetValue: object.target.value ?? "0" },
      ...{ ...selected(object), averageValue: object.target.averageValue },
    },
    pods: pods && { ...named(pods), targetAverageValue: pods.target.averageValue ?? "0", ...selected(pods) },
    resource: resource && usage(resource),
    containerResource: containerResource && { ...usage(containerResource), container: containerResource.container },
    external: external && {
      ...{ ...named(external), ...metricSelected(external) },
      ...{ targetValue: external.target.value, targetAverageValue: external.target.averageValue },
    },
  });
}

/** A metric from the type of v1. */
export function metricFromV1({ type, object, pods, resource, containerResource, external }: MetricV1): V2MetricSpec {
  const usage = ({ name, targetAverageUtilization: averageUtilization, ...r }: ResourceTarget) => ({
    name,
    target: compact({
      type: isUnset(averageUtilization) ? "AverageValue" : "Utilization",
      ...{ averageValue: r.targetAverageValue, averageUtilization },
    }),
  });
  const isAverage = !isUnset(object?.averageValue);
  return compact({
    type,
    object: object && {
      ...{ describedObject: object.target, ...identified(object) },
      target: compact({
        type: isAverage ? "AverageValue" : "Value",
        // Beside an average v1 cannot leave out the value, and has zero.
        value: isAverage && isZero(object.targetValue) ? undefined : object.targetValue,
        averageValue: object.averageValue,
      }),
    },
    pods: pods && { ...identified(pods), target: { type: "AverageValue", averageValue: pods.targetAverageValue } },
    resource: resource && usage(resource),
    containerResource: containerResource && { ...usage(containerResource), container: containerResource.container },
    external: external && {
      ...identified(external),
      target: compact({
        type: isUnset(external.targetValue) ? "AverageValue" : "Value",
        ...{ value: external.targetValue, averageValue: external.targetAverageValue },
      }),
    },
  }) as V2MetricSpec;
}

/** The status of a metric in the type of v1. Amounts that v1 requires are zero where v2 has none. */
export function statusToV1({ type, object, pods, resource, containerResource, external }: V2MetricStatus): StatusV1 {
  const usage = ({ name, current }: NonNullable<V2MetricStatus["resource"]>) => ({
    ...{ name, currentAverageUtilization: current.averageUtilization },
    currentAverageValue: current.averageValue ?? "0",
  });
  return compact<StatusV1>({
    type,
    object: object && {
      ...{ target: inOrder(object.describedObject), ...named(object), currentValue: object.current.value ?? "0" },
      ...{ ...selected(object), averageValue: object.current.averageValue },
    },
    pods: pods && { ...named(pods), currentAverageValue: pods.current.averageValue ?? "0", ...selected(pods) },
    resource: resource && usage(resource),
    containerResource: containerResource && { ...usage(containerResource), container: containerResource.container },
    external: external && {
      ...{ ...named(external), ...metricSelected(external) },
      ...{ currentValue: external.current.value ?? "0", currentAverageValue: external.current.averageValue },
    },
  });
}

/** The status of a metric from the type of v1. */
export function statusFromV1({ type, object, pods, resource, containerResource, external }: StatusV1): V2MetricStatus {
  const usage = ({ name, currentAverageUtilization: averageUtilization, ...r }: ResourceStatus) => ({
    ...{ name, current: compact({ averageUtilization, averageValue: r.currentAverageValue }) },
  });
  return compact({
    type: type ?? "",
    object: object && {
      ...{ describedObject: object.target, ...identified(object) },
      current: compact({ value: object.currentValue, averageValue: object.averageValue }),
    },
    pods: pods && { ...identified(pods), current: { averageValue: pods.currentAverageValue } },
    resource: resource && usage(resource),
    containerResource: containerResource && { ...usage(containerResource), container: containerResource.container },
    external: external && {
      ...identified(external),
      current: compact({ value: external.currentValue, averageValue: external.currentAverageValue }),
    },
  }) as V2MetricStatus;
}

type Fields = Readonly<Record<string, unknown>>;
// The fields of a behavior in Kubernetes' order. They are kept with capitals, and null where they are unset.
const directions = ["scaleUp", "scaleDown"] as const;
const ruleFields = ["stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"] as const;
const policyFields = ["type", "value", "periodSeconds"] as const;
const capital = (field: string): string => field.charAt(0).toUpperCase() + field.slice(1);
const capitals = (object: object, names: readonly string[]): Fields =>
  Object.fromEntries(names.map((name) => [capital(name), (object as Fields)[name] ?? null]));

/** A behavior as it is kept. */
export function behaviorToV1({ scaleUp, scaleDown }: Behavior): Fields {
  const rules = (r: V2HPAScalingRules | undefined): Fields | undefined =>
    r && capitals({ ...r, policies: r.policies?.map((policy) => capitals(policy, policyFields)) }, ruleFields);
  return capitals({ scaleUp: rules(scaleUp), scaleDown: rules(scaleDown) }, directions);
}

/** The fields of these names, whatever their case, as Go reads JSON. Throws where there is no object. */
function anyCase(object: unknown, names: readonly string[]): Fields {
  if (typeof object !== "object" || object === null) throw new TypeError("no object");
  const known = new Map(names.map((name) => [name.toLowerCase(), name]));
  const entries = Object.entries(object).flatMap(([field, value]) => {
    const name = known.get(field.toLowerCase());
    return name === undefined ? [] : [[name, value] as const];
  });
  return compact(Object.fromEntries(entries));
}

/** A behavior from what is kept; undefined without rules. Throws where something else was written there. */
export function behaviorFromV1(kept: unknown): Behavior | undefined {
  const rules = (r: unknown): Fields => {
    const { policies, ...rest } = anyCase(r, ruleFields);
    return { ...rest, ...(Array.isArray(policies) && { policies: policies.map((p) => anyCase(p, policyFields)) }) };
  };
  const entries = Object.entries(anyCase(kept, directions)).map(([direction, r]) => [direction, rules(r)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
