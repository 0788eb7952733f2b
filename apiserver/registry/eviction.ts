// Eviction of a pod: a deletion that its disruption budget may refuse, and that is noted in the pod's status.
import { withCondition } from "../../api/conditions.ts";
import type { Pod } from "../../api/core/pods.ts";
import { ApiError, hasReason } from "../../api/errors.ts";
import type { PodCondition } from "../../api/generated/types.ts";
import { type ApiObject, type Instant, keyOf, timestamp } from "../../api/meta.ts";
import { type PodDisruptionBudget, podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { selects } from "../../api/selector.ts";
import type { DeleteOptions } from "../../machinery/client.ts";
import { objectOf } from "./codec.ts";
import { forbidden } from "./refusals.ts";
import type { Registry, Target, WriteOptions } from "./verbs.ts";

type Status = NonNullable<PodDisruptionBudget["status"]>;

/** Limit of evictions that the disruption controller has not confirmed yet. */
const mostUnseen = 2000;

function tooMany(message: string, seconds?: number): ApiError {
  return new ApiError("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: "DisruptionBudget", message }],
    ...(seconds !== undefined && { retryAfterSeconds: seconds }),
  });
}

const isHealthy = ({ status }: Pod): boolean =>
  status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;
/** The eviction of a pending, completed or terminating pod is no disruption. */
const goesFreely = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || ["Pending", "Succeeded", "Failed"].includes(status?.phase ?? "");

/** An unhealthy pod may be evicted when enough are healthy, or always under the policy AlwaysAllow. */
const isSpare = (pod: Pod, { spec, status }: PodDisruptionBudget): boolean => {
  if (isHealthy(pod)) return false;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return spec.unhealthyPodEvictionPolicy === "AlwaysAllow" || (desiredHealthy > 0 && currentHealthy >= desiredHealthy);
};

function exhausted(conditions: Status["conditions"], observedGeneration: number | undefined, now: Instant): object[] {
  const type = "DisruptionAllowed";
  const old = conditions?.find((c) => c.type === type);
  const changed = old?.status === "False" ? old.lastTransitionTime : timestamp(now);
  const spent = {
    type,
    status: "False",
    reason: "InsufficientPods",
    message: "",
    lastTransitionTime: changed,
    ...(observedGeneration !== undefined && { observedGeneration }),
  };
  return [...(conditions ?? []).filter((c) => c !== old), spent];
}

/** The budget with one disruption less in it; one that has none left refuses. Pure. */
export function spent(budget: PodDisruptionBudget, podName: string, now: Instant): PodDisruptionBudget {
  const { name, generation = 0 } = budget.metadata;
  const status = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  const { disruptionsAllowed: allowed = 0, disruptedPods = {}, observedGeneration = 0 } = status as Partial<Status>;
  const resource = { group: "policy", plural: "poddisruptionbudget", kind: "PodDisruptionBudget" };
  if (observedGeneration < generation)
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  if (allowed < 0) throw forbidden(resource, name, "pdb disruptions allowed is negative");
  if (Object.keys(disruptedPods).length > mostUnseen)
    throw forbidden(resource, name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  if (allowed === 0)
    throw tooMany(
      `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
    );
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...disruptedPods, [podName]: timestamp(now) },
      ...(allowed === 1 && {
        conditions: exhausted(budget.status?.conditions, budget.status?.observedGeneration, now),
      }),
    } as Status,
  };
}

/** The budget of a pod, which can have one at most. */
async function budgetOf(registry: Registry, { metadata }: Pod): Promise<PodDisruptionBudget | undefined> {
  const { namespace, labels } = metadata;
  const r = podDisruptionBudgets as unknown as Target["r"];
  const { entries } = await registry.list(r, { ...(namespace !== undefined && { namespace }) });
  // A budget with an empty selector selects no pods here.
  const budgets = entries
    .map((stored) => objectOf<PodDisruptionBudget>(stored))
    .filter(({ spec: { selector } }) => {
      const requirements = Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length;
      return requirements > 0 && selects(selector, labels);
    });
  if (budgets.length > 1)
    throw new ApiError(
      "Unknown",
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  return budgets[0];
}

/** How an eviction writes. */
type Evicting = Pick<WriteOptions, "dryRun" | "term">;

async function spend(registry: Registry, budget: PodDisruptionBudget, pod: Pod, { dryRun, term }: Evicting) {
  const now = registry.world.clock.now();
  const decide = (current: ApiObject): ApiObject => spent(current as PodDisruptionBudget, pod.metadata.name, now);
  const r = podDisruptionBudgets as unknown as Target["r"];
  const kept = { r, key: keyOf(budget), subresource: "status" } as const;
  await registry.change(kept, decide, { manager: "kube-apiserver", dryRun, term });
}

/** Whether the preconditions of a deletion describe this pod. */
const isDescribed = ({ metadata }: Pod, { uid, resourceVersion }: DeleteOptions): boolean =>
  (uid ?? metadata.uid) === metadata.uid && (resourceVersion ?? metadata.resourceVersion) === metadata.resourceVersion;
const isPending = ({ metadata, status }: Pod): boolean =>
  status?.phase === "Pending" && metadata.deletionTimestamp === undefined;

type EvictionOptions = DeleteOptions & Evicting;

/** Deletes a pod, if its budget allows it. */
export async function evict(registry: Registry, target: Target, options: EvictionOptions): Promise<void> {
  const pod = objectOf<Pod>(await registry.get(target.r, target.key));
  // The deletion refuses a pod that is not described, which costs no budget.
  if (!isDescribed(pod, options)) return remove(registry, target, options);
  const budget = goesFreely(pod) ? undefined : await budgetOf(registry, pod);
  const isUncounted = isPending(pod) || (budget !== undefined && isSpare(pod, budget));
  if (budget && !isUncounted) await spend(registry, budget, pod, options);
  if (!isUncounted || options.resourceVersion !== undefined) return remove(registry, target, options);
  // A pod that costs its budget nothing may have become healthy: only this version of it is deleted.
  const { resourceVersion } = pod.metadata;
  try {
    await remove(registry, target, { ...options, resourceVersion });
  } catch (e) {
    if (!hasReason(e, "Conflict")) throw e;
    if (budget)
      throw tooMany(`The disruption budget ${budget.metadata.name} is still being processed by the server.`, 10);
    await evict(registry, target, options);
  }
}

async function remove(registry: Registry, target: Target, options: EvictionOptions): Promise<void> {
  const preconditions = options.dryRun ? {} : await noteDisruption(registry, target, options);
  await registry.delete(target, { ...options, ...preconditions });
}

const disruption = {
  ...{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" },
  message: "Eviction API: evicting",
};

/**
 * Notes in the status of a pod why it is deleted, before it is: a job's failure policy depends on it. Returns the
 * preconditions of the deletion, of which the note changes the version. Source: KEP-3329.
 */
async function noteDisruption(registry: Registry, target: Target, options: EvictionOptions) {
  const { resourceVersion, term } = options;
  let isMet = false;
  const note = (current: ApiObject): ApiObject => {
    const pod = current as Pod;
    isMet = isDescribed(pod, options);
    // The deletion refuses a pod that its preconditions do not describe.
    if (!isMet) return current;
    const conditions = withCondition<PodCondition>(pod.status?.conditions, disruption, registry.world.clock.now());
    return { ...pod, status: { ...pod.status, conditions } } as Pod;
  };
  const noted = await registry.change({ ...target, subresource: "status" }, note, { term });
  return resourceVersion !== undefined && isMet ? { resourceVersion: String(noted.modified) } : {};
}
