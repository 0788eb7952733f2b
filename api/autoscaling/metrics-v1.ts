// Metrics, their statuses and behaviors as Kubernetes keeps them in annotations of autoscaling/v1: in the types of that
// version, which are not those of v2. Pure.
import type {
  V2CrossVersionObjectReference,
  V2HorizontalPodAutoscalerBehavior as Behavior,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
} from "../generated/types.ts";
import type { LabelSelectorLike } from "../selector.ts";

/** An object as JSON. */
type Json = Readonly<Record<string, any>>;

interface Identified {
  readonly metric: { readonly name: string; readonly selector?: LabelSelectorLike };
}
const named = ({ metric }: Identified) => ({ metricName: metric.name });
const selected = ({ metric: { selector } }: Identified, field = "selector") => selector && { [field]: selector };
const identified = ({ metricName, ...m }: Json, field = "selector") => ({
  metric: { name: metricName ?? "", ...(m[field] && { selector: m[field] }) },
});
/** Without the fields that are unset. */
const compact = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as T;
const isZero = (quantity: unknown): boolean => quantity === undefined || /^0*\.?0*[a-zA-Z]*$/.test(String(quantity));

/** The fields of a reference in Kubernetes' order. */
const inOrder = ({ kind, name, apiVersion }: V2CrossVersionObjectReference) => ({
  ...{ kind, name, ...(apiVersion !== undefined && { apiVersion }) },
});

/** A metric in the type of v1. */
export function metricToV1({ type, object, pods, resource, containerResource, external }: V2MetricSpec): Json {
  const usage = ({ name, target }: { readonly name: string; readonly target: V2MetricTarget }) => ({
    ...{ name, targetAverageUtilization: target.averageUtilization, targetAverageValue: target.averageValue },
  });
  return compact({
    type,
    object: object && {
      ...{ target: inOrder(object.describedObject), ...named(object), targetValue: object.target.value ?? "0" },
      ...{ ...selected(object), averageValue: object.target.averageValue },
    },
    pods: pods && { ...named(pods), targetAverageValue: pods.target.averageValue ?? "0", ...selected(pods) },
    resource: resource && usage(resource),
    containerResource: containerResource && { ...usage(containerResource), container: containerResource.container },
    external: external && {
      ...{ ...named(external), ...selected(external, "metricSelector") },
      ...{ targetValue: external.target.value, targetAverageValue: external.target.averageValue },
    },
  });
}

/** A metric from the type of v1. */
export function metricFromV1({ type, object, pods, resource, containerResource, external }: Json): V2MetricSpec {
  const usage = ({ name, targetAverageUtilization: averageUtilization, targetAverageValue: averageValue }: Json) => ({
    name,
    target: compact({
      type: (averageUtilization ?? undefined) === undefined ? "AverageValue" : "Utilization",
      ...{ averageValue, averageUtilization },
    }),
  });
  const value = (target: Json) => ({
    target: compact({
      type: (target["averageValue"] ?? undefined) === undefined ? "Value" : "AverageValue",
      ...target,
    }),
  });
  return compact({
    type,
    object: object && {
      describedObject: object.target,
      ...value({
        value: object.averageValue && isZero(object.targetValue) ? undefined : object.targetValue,
        averageValue: object.averageValue,
      }),
      ...identified(object),
    },
    pods: pods && { ...identified(pods), target: { type: "AverageValue", averageValue: pods.targetAverageValue } },
    resource: resource && usage(resource),
    containerResource: containerResource && { ...usage(containerResource), container: containerResource.container },
    external: external && {
      ...identified(external, "metricSelector"),
      target: compact({
        type: (external.targetValue ?? undefined) === undefined ? "AverageValue" : "Value",
        ...{ value: external.targetValue, averageValue: external.targetAverageValue },
      }),
    },
  }) as V2MetricSpec;
}

/** The status of a metric in the type of v1. Amounts that v1 requires are zero where v2 has none. */
export function statusToV1({ type, object, pods, resource, containerResource, external }: V2MetricStatus): Json {
  const usage = ({ name, current }: NonNullable<V2MetricStatus["resource"]>) => ({
    ...{ name, currentAverageUtilization: current.averageUtilization },
    currentAverageValue: current.averageValue ?? "0",
  });
  return compact({
    type,
    object: object && {
      ...{ target: inOrder(object.describedObject), ...named(object), currentValue: object.current.value ?? "0" },
      ...{ ...selected(object), averageValue: object.current.averageValue },
    },
    pods: pods && { ...named(pods), currentAverageValue: pods.current.averageValue ?? "0", ...selected(pods) },
    resource: resource && usage(resource),
    containerResource: containerResource && { ...usage(containerResource), container: containerResource.container },
    external: external && {
      ...{ ...named(external), ...selected(external, "metricSelector") },
      ...{ currentValue: external.current.value ?? "0", currentAverageValue: external.current.averageValue },
    },
  });
}

/** The status of a metric from the type of v1. */
export function statusFromV1({ type, object, pods, resource, containerResource, external }: Json): V2MetricStatus {
  const usage = ({ name, currentAverageUtilization: averageUtilization, currentAverageValue: averageValue }: Json) => ({
    ...{ name, current: compact({ averageUtilization, averageValue }) },
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
      ...identified(external, "metricSelector"),
      current: compact({ value: external.currentValue, averageValue: external.currentAverageValue }),
    },
  }) as V2MetricStatus;
}

/** The fields of a behavior in Kubernetes' order. They are kept with capitals, and null where they are unset. */
const fields = ["scaleUp", "scaleDown"] as const;
const ruleFields = ["stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"] as const;
const policyFields = ["type", "value", "periodSeconds"] as const;
const capital = (field: string): string => field.charAt(0).toUpperCase() + field.slice(1);
const capitals = (object: Json, names: readonly string[], of = (value: any): unknown => value): Json =>
  Object.fromEntries(names.map((name) => [capital(name), of(object[name]) ?? null]));

/** A behavior as it is kept. */
export const behaviorToV1 = (behavior: Behavior): Json =>
  capitals(behavior, fields, (rules?: Json) => {
    if (!rules) return null;
    const policies = rules["policies"]?.map((policy: Json) => capitals(policy, policyFields));
    return capitals({ ...rules, policies }, ruleFields);
  });

/** The fields of these names, whatever their case, as Go reads JSON. */
function anyCase(object: Json, names: readonly string[]): Json {
  const known = new Map(names.map((name) => [name.toLowerCase(), name]));
  const entries = Object.entries(object).map(([field, value]) => [known.get(field.toLowerCase()), value] as const);
  return compact(Object.fromEntries(entries.filter(([name]) => name !== undefined)));
}
/** A behavior from what is kept; undefined without rules. */
export function behaviorFromV1(kept: Json): Behavior | undefined {
  const rules = (r: Json | undefined): Json | undefined => {
    if (!r) return undefined;
    const { policies, ...rest } = anyCase(r, ruleFields);
    return { ...rest, ...(policies && { policies: policies.map((p: Json) => anyCase(p, policyFields)) }) };
  };
  const { scaleUp, scaleDown } = anyCase(kept, fields);
  const behavior = compact({ scaleUp: rules(scaleUp), scaleDown: rules(scaleDown) });
  return Object.keys(behavior).length === 0 ? undefined : (behavior as Behavior);
}
