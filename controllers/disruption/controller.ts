// PodDisruptionBudget: how many of the pods it selects may be evicted now. An eviction is counted until its pod is seen
// to go (KEP-85).
import { withCondition } from "../../api/conditions.ts";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import { statusTo } from "../../machinery/action.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { numberIn } from "../../api/int-or-percent.ts";
import { controllerOf, type Instant, instantOf, type OwnerReference, key, keyOf } from "../../api/meta.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { type Decision, controller, type KeysOf, type Views, watch } from "../../machinery/controller.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { statefulSets } from "../../api/apps/statefulsets.ts";
import { pods } from "../../api/core/pods.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import { byLabels, selectedBy, selectorsOfChange } from "../../machinery/selector-index.ts";

/** A controller that can be scaled, and its replicas. */
export interface Scale {
  readonly uid: string;
  readonly replicas: number;
}
export interface Observed {
  readonly budget: PodDisruptionBudget;
  /** The pods its selector picks. */
  readonly pods: readonly Pod[];
  /** The scale behind the controller of a pod; undefined where it cannot be found. */
  readonly scaleOf: (controller: OwnerReference) => Scale | undefined;
}

/** How long an evicted pod counts as disrupted while it is still there. */
const disruptedMs = 2 * 60_000;

interface Counted {
  readonly expected: number;
  readonly desired: number;
}
const isPercentage = (value: number | string | undefined): value is string => typeof value === "string";
const amountOf = (value: number | string, total: number): number =>
  isPercentage(value) ? Math.ceil((numberIn(value) * total) / 100) : value;

/** The sum of the replicas of all controllers of the pods; a message when one of them is not found. */
function expectedOf({ pods, scaleOf }: Observed): number | string {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const controller = controllerOf(pod);
    // Nothing replaces a pod without a controller.
    if (!controller) continue;
    const scale = scaleOf(controller);
    if (!scale) return `found no controllers for pod "${pod.metadata.name}"`;
    scales.set(scale.uid, scale.replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

/** The expected pods and how many of them must be healthy; a message when that cannot be computed. */
function counted(observed: Observed): Counted | string {
  const { minAvailable, maxUnavailable } = observed.budget.spec;
  if (minAvailable !== undefined && !isPercentage(minAvailable))
    return { expected: observed.pods.length, desired: minAvailable };
  if (minAvailable === undefined && maxUnavailable === undefined) return { expected: 0, desired: 0 };
  const expected = expectedOf(observed);
  if (typeof expected === "string") return expected;
  if (minAvailable !== undefined) return { expected, desired: amountOf(minAvailable, expected) };
  return { expected, desired: Math.max(0, expected - amountOf(maxUnavailable!, expected)) };
}

/**
 * Evicted pods that are still there, for as long as they count as disrupted, with the time of the eviction. A pod that
 * was created after the eviction has only the name of the evicted one.
 */
function disruptedPods({ budget, pods }: Observed, now: Instant): ReadonlyMap<string, string> {
  const disrupted = budget.status?.disruptedPods ?? {};
  const isDisrupted = ({ metadata }: Pod): boolean => {
    const at = disrupted[metadata.name];
    if (at === undefined || metadata.deletionTimestamp !== undefined) return false;
    return instantOf(at) + disruptedMs > now && instantOf(metadata.creationTimestamp) <= instantOf(at);
  };
  return new Map(pods.filter(isDisrupted).map(({ metadata: { name } }) => [name, disrupted[name]!]));
}

type Conditions = NonNullable<PodDisruptionBudgetStatus["conditions"]>;
type Reason = "SufficientPods" | "InsufficientPods" | "SyncFailed";
function conditionsWith(
  { status, metadata: { generation: observedGeneration } }: PodDisruptionBudget,
  reason: Reason,
  message: string,
  now: Instant,
): Conditions {
  const type = "DisruptionAllowed";
  const allowed = reason === "SufficientPods" ? "True" : "False";
  const conditions = withCondition(status?.conditions, { type, status: allowed, reason, message }, now);
  return conditions.map((c) => (c.type === type ? { ...c, observedGeneration } : c));
}

function statusOf(observed: Observed, { expected, desired }: Counted, now: Instant): PodDisruptionBudgetStatus {
  const { budget, pods } = observed;
  const disrupted = disruptedPods(observed, now);
  const isHealthy = (p: Pod): boolean =>
    p.metadata.deletionTimestamp === undefined && !disrupted.has(p.metadata.name) && isReady(p);
  const healthy = pods.filter(isHealthy).length;
  // A budget without pods allows no disruption: its first pods may exist before they are seen.
  const disruptionsAllowed = expected > 0 ? Math.max(0, healthy - desired) : 0;
  return {
    ...budget.status,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed,
    disruptedPods: disrupted.size > 0 ? Object.fromEntries(disrupted) : undefined,
    observedGeneration: budget.metadata.generation,
    conditions: conditionsWith(budget, disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods", "", now),
  };
}

export function decide(observed: Observed, now: Instant): Decision {
  const { budget, pods } = observed;
  const count = counted(observed);
  // Where the expected pods cannot be computed, no disruption is allowed.
  const status =
    typeof count === "string"
      ? { ...budget.status, disruptionsAllowed: 0, conditions: conditionsWith(budget, "SyncFailed", count, now) }
      : statusOf(observed, count, now);
  const times = Object.values(status.disruptedPods ?? {}).map((at) => instantOf(at) + disruptedMs - now);
  return {
    actions: statusTo(podDisruptionBudgets, budget, status),
    because: [`${status.currentHealthy} of ${pods.length} pods are healthy, ${status.desiredHealthy} must be`],
    ...(times.length > 0 && { requeueAfter: Math.max(0, ...times) + 1 }),
  };
}

interface Scaled {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly replicas?: number };
}
const scale = ({ metadata: { uid }, spec: { replicas = 1 } }: Scaled): Scale => ({ uid, replicas });

/** The scale of a pod's controller: for a set that a deployment controls, the deployment's. */
function scaleOf(views: Views, namespace: string | undefined, { kind, name, uid }: OwnerReference): Scale | undefined {
  const k = key(namespace, name);
  const own = <T extends Scaled>(found: T | undefined): T | undefined =>
    found?.metadata.uid === uid ? found : undefined;
  if (kind === "ReplicationController" || kind === "StatefulSet") {
    const view = kind === "StatefulSet" ? views.of(statefulSets) : views.of(replicationControllers);
    const found = own(view.get(k) as Scaled | undefined);
    return found && scale(found);
  }
  if (kind !== "ReplicaSet") return undefined;
  const set = own(views.of(replicaSets).get(k));
  const above = set && controllerOf(set);
  if (above?.kind !== "Deployment") return set && scale(set);
  const deployment = views.of(deployments).get(key(namespace, above.name));
  return deployment && scale(deployment);
}

/** A budget without a selector selects no pod; one whose selector is empty, every pod of its namespace. */
const selectorOf = ({ spec: { selector } }: PodDisruptionBudget) => selector;

const budgetsOf: KeysOf<Pod> = (pod, { before, views }) =>
  selectorsOfChange(views.of(podDisruptionBudgets), selectorOf, pod, before).map(keyOf);

export const disruptionController = controller({
  name: "disruption",
  reconciles: podDisruptionBudgets,
  selectorOf,
  watches: [
    watch(pods, budgetsOf, byLabels),
    watch(deployments),
    watch(replicaSets),
    watch(replicationControllers),
    watch(statefulSets),
  ],
  writes: [{ kind: podDisruptionBudgets, subresource: "status", verbs: ["update"] }],
  observe(views, k) {
    const budget = views.of(podDisruptionBudgets).get(k);
    if (budget === undefined) return undefined;
    const { namespace } = budget.metadata;
    const selector = selectorOf(budget);
    return {
      budget,
      pods: selector ? selectedBy(views.of(pods), namespace, selector) : [],
      scaleOf: (owner) => scaleOf(views, namespace, owner),
    };
  },
  decide,
});
