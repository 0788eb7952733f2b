// How many pods of a budget may be taken away now, counted from what there is; an eviction takes one off until we have
// seen it (KEP-85). Pure.
import { withCondition } from "../../api/conditions.ts";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { numberIn } from "../../api/int-or-percent.ts";
import { controllerOf, type Instant, instantOf, type OwnerReference } from "../../api/meta.ts";
import { isReady } from "../../api/core/pod/status.ts";
import type { Decision } from "../../machinery/controller.ts";

/** Who decides how many pods there should be, and how many that is. */
export interface Scale {
  readonly uid: string;
  readonly replicas: number;
}
export interface Observed {
  readonly budget: PodDisruptionBudget;
  /** All that its selector picks. */
  readonly pods: readonly Pod[];
  /** What stands behind the controller of a pod; nothing where it cannot be found. */
  readonly scaleOf: (controller: OwnerReference) => Scale | undefined;
}

/** So long a pod that was to be evicted is believed to be going. */
const believedMs = 2 * 60_000;

interface Counted {
  readonly expected: number;
  readonly desired: number;
}
const isShare = (value: number | string | undefined): value is string => typeof value === "string";
const shareOf = (value: number | string, total: number): number =>
  isShare(value) ? Math.ceil((numberIn(value) * total) / 100) : value;

/** As many pods as those who made these are to make in all; a pod of which nobody knows that is told. */
function expectedOf({ pods, scaleOf }: Observed): number | string {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const controller = controllerOf(pod);
    // Nobody is to make up for it.
    if (!controller) continue;
    const scale = scaleOf(controller);
    if (!scale) return `found no controllers for pod "${pod.metadata.name}"`;
    scales.set(scale.uid, scale.replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

/** How many pods there should be, and how many of them have to be well; or why nobody can tell. */
function counted(observed: Observed): Counted | string {
  const { minAvailable, maxUnavailable } = observed.budget.spec;
  if (minAvailable !== undefined && !isShare(minAvailable))
    return { expected: observed.pods.length, desired: minAvailable };
  if (minAvailable === undefined && maxUnavailable === undefined) return { expected: 0, desired: 0 };
  const expected = expectedOf(observed);
  if (typeof expected === "string") return expected;
  if (minAvailable !== undefined) return { expected, desired: shareOf(minAvailable, expected) };
  return { expected, desired: Math.max(0, expected - shareOf(maxUnavailable!, expected)) };
}

/** Pods that were to be evicted and are there still, for as long as they are believed to be going. */
function leaving({ budget, pods }: Observed, now: Instant): ReadonlyMap<string, string> {
  const told = budget.status?.disruptedPods ?? {};
  const names = pods.filter((p) => p.metadata.deletionTimestamp === undefined).map((p) => p.metadata.name);
  const believed = (name: string): boolean => told[name] !== undefined && instantOf(told[name]) + believedMs > now;
  return new Map(names.filter(believed).map((name) => [name, told[name]!]));
}

function allowed(status: PodDisruptionBudgetStatus, generation: number | undefined, now: Instant) {
  const { disruptionsAllowed = 0 } = status;
  const enough = disruptionsAllowed > 0;
  const next: Next = {
    type: "DisruptionAllowed",
    status: enough ? "True" : "False",
    reason: enough ? "SufficientPods" : "InsufficientPods",
    message: "",
  };
  return conditionsWith(status, next, generation, now);
}

type Conditions = NonNullable<PodDisruptionBudgetStatus["conditions"]>;
type Next = Omit<Conditions[number], "lastTransitionTime">;
const conditionsWith = (
  { conditions }: PodDisruptionBudgetStatus,
  next: Next,
  observedGeneration: number | undefined,
  now: Instant,
): Conditions =>
  withCondition(conditions, next, now).map((c) => (c.type === next.type ? { ...c, observedGeneration } : c));

/** What is known when nobody can tell how many pods there should be: that nothing may be disrupted. */
function failed({ status = {}, metadata: { generation } }: PodDisruptionBudget, message: string, now: Instant) {
  const next: Next = { type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message };
  return { ...status, disruptionsAllowed: 0, conditions: conditionsWith(status, next, generation, now) };
}

function statusOf(observed: Observed, { expected, desired }: Counted, now: Instant): PodDisruptionBudgetStatus {
  const { budget, pods } = observed;
  const { generation } = budget.metadata;
  const going = leaving(observed, now);
  const isWell = (p: Pod): boolean =>
    p.metadata.deletionTimestamp === undefined && !going.has(p.metadata.name) && isReady(p);
  const healthy = pods.filter(isWell).length;
  const status = {
    ...budget.status,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    // A budget of nobody allows nothing: its first pods may come before we see them.
    disruptionsAllowed: expected > 0 ? Math.max(0, healthy - desired) : 0,
    disruptedPods: going.size > 0 ? Object.fromEntries(going) : undefined,
    observedGeneration: generation,
  };
  return { ...status, conditions: allowed(status, generation, now) };
}

export function decide(observed: Observed, now: Instant): Decision {
  const { budget, pods } = observed;
  const count = counted(observed);
  const status = typeof count === "string" ? failed(budget, count, now) : statusOf(observed, count, now);
  const times = Object.values(status.disruptedPods ?? {}).map((at) => instantOf(at) + believedMs - now);
  return {
    actions: sameJson(status, budget.status)
      ? []
      : [{ do: "status", resource: podDisruptionBudgets, object: budget, status }],
    because: [`${status.currentHealthy} of ${pods.length} pods are well, ${status.desiredHealthy} have to be`],
    ...(times.length > 0 && { requeueAfter: Math.max(0, ...times) + 1 }),
  };
}
