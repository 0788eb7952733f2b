// Subresources that are created: a binding assigns a pod to a node; an eviction (`policy/v1`) deletes it, unless its
// disruption budget allows no disruption.
import { withCondition } from "../../api/conditions.ts";
import { ApiError } from "../../api/errors.ts";
import { type PodDisruptionBudget, podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { type ApiObject, type Instant, type Draft, keyOf, timestamp } from "../../api/meta.ts";
import { selects } from "../../api/selector.ts";
import { objectOf } from "../registry/codec.ts";
import { forbidden, invalid, methodNotAllowed, methodNotServed } from "../registry/refusals.ts";
import type { Registry, Target } from "../registry/verbs.ts";
import type { Eviction, PodCondition } from "../../api/generated/types.ts";
import { type Binding, bindings } from "../../api/core/bindings.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { evictions, subresources } from "../registry/strategies/table.ts";
import { bodyOf, parseBody } from "../request/body.ts";
import { type Call, type ApiReply, targetOf, replySuccess } from "../request/request-response.ts";
import { type Deleting, deleteOptions } from "../request/options.ts";
import { warned } from "../response/encode.ts";

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

async function budgetsOf(registry: Registry, { metadata }: Pod): Promise<readonly PodDisruptionBudget[]> {
  const { namespace, labels } = metadata;
  const r = podDisruptionBudgets as unknown as Target["r"];
  const { entries } = await registry.list(r, { ...(namespace !== undefined && { namespace }) });
  // A budget with an empty selector selects no pods here.
  return entries
    .map((stored) => objectOf<PodDisruptionBudget>(stored))
    .filter(({ spec: { selector } }) => {
      const says = Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length;
      return says > 0 && selects(selector, labels);
    });
}

/** Delete a pod, if its budget allows it. */
export async function evict(registry: Registry, target: Target, options: Deleting["options"]): Promise<void> {
  const pod = objectOf<Pod>(await registry.get(target.r, target.key));
  const fence = { term: options.term };
  if (!goesFreely(pod)) {
    const budgets = await budgetsOf(registry, pod);
    if (budgets.length > 1)
      throw new ApiError(
        "Unknown",
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      );
    const [budget] = budgets;
    if (budget && !isSpare(pod, budget)) {
      const now = registry.world.clock.now();
      const decide = (current: ApiObject): ApiObject => spent(current as PodDisruptionBudget, pod.metadata.name, now);
      const kept = {
        r: podDisruptionBudgets as unknown as Target["r"],
        key: keyOf(budget),
        subresource: "status",
      } as const;
      await registry.change(kept, decide, { ...fence, manager: "kube-apiserver", dryRun: options.dryRun });
    }
  }
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
async function noteDisruption(registry: Registry, target: Target, options: Deleting["options"]) {
  const { uid, resourceVersion, term } = options;
  let isMet = false;
  const note = (current: ApiObject): ApiObject => {
    const { metadata, status } = current as Pod;
    const { uid: actualUid, resourceVersion: version } = metadata;
    isMet = (uid ?? actualUid) === actualUid && (resourceVersion ?? version) === version;
    // The deletion refuses a pod that its preconditions do not describe.
    if (!isMet) return current;
    const conditions = withCondition<PodCondition>(status?.conditions, disruption, registry.world.clock.now());
    return { ...current, status: { ...status, conditions } } as Pod;
  };
  const noted = await registry.change({ ...target, subresource: "status" }, note, { term });
  return resourceVersion !== undefined && isMet ? { resourceVersion: String(noted.modified) } : {};
}

/** A body that is sent to one object names that object. */
function checkPath({ path }: Call, { metadata }: Draft<ApiObject>, { kind }: ResourceDefinition): void {
  if (metadata.name !== path.name)
    throw new ApiError("BadRequest", `name in URL does not match name in ${kind} object`);
}

export async function bindPod(call: Call): Promise<ApiReply> {
  const { object, options, warnings } = bodyOf(call, call.subresource!.bodyKind!);
  checkPath(call, object, call.subresource!.bodyKind!);
  const { metadata, target } = object as Draft<Binding>;
  const problems = bindings.validate(object as Draft<Binding>);
  if (problems.length > 0) throw invalid(bindings, call.path.name!, problems);
  const sent = { metadata, spec: { nodeName: target.name } } as unknown as ApiObject;
  await call.registry.change(targetOf(call), () => sent, options);
  return warned(replySuccess(undefined, 201), warnings);
}

/** `policy/v1beta1`, of before v1.22, is still read. */
function evictionKind(request: Call["request"]): ResourceDefinition {
  const { apiVersion } = (parseBody(request) ?? {}) as Partial<ApiObject>;
  return apiVersion === "policy/v1beta1" ? { ...evictions, version: "v1beta1" } : evictions;
}

export async function evictPod(call: Call): Promise<ApiReply> {
  const { registry, request } = call;
  const { object, options, warnings } = bodyOf(call, evictionKind(request));
  checkPath(call, object, evictions);
  const deletion = deleteOptions(request, (object as Draft<Eviction>).deleteOptions ?? {}).options;
  await evict(registry, targetOf(call), { ...deletion, dryRun: deletion.dryRun || options.dryRun === true });
  return warned(replySuccess(undefined, 201), warnings);
}

/** Serves `namespaces/{namespace}/bindings`: the same as the binding subresource of the pod it names. */
export async function createBinding(call: Call): Promise<ApiReply> {
  const { path, request } = call;
  if (path.namespace === undefined) throw methodNotServed();
  if (request.method !== "POST" || path.name !== undefined)
    throw methodNotAllowed(bindings, request.method.toLowerCase());
  const binding = parseBody(request) as Partial<ApiObject> | undefined;
  const name = binding?.metadata?.name;
  if (!name) throw new ApiError("BadRequest", "name is required");
  const problems = bindings.validate(binding as never);
  if (problems.length > 0) throw invalid(bindings, name, problems);
  return bindPod({
    ...call,
    r: pods as unknown as ResourceDefinition,
    path: { ...path, plural: pods.plural, name, subresource: "binding" },
    subresource: subresources.binding,
  });
}
