// Pods: they end gracefully, and are written part by part through binding, ephemeralcontainers and resize.
import { ApiError } from "../../../api/errors.ts";
import type { Pod } from "../../../api/core/pods.ts";
import { validateEphemeralChange, withEphemeralContainers } from "../../../api/core/pod/ephemeral-containers.ts";
import { resized, validateResize } from "../../../api/core/pod/resize.ts";
import { type ApiObject, type Draft, timestamp } from "../../../api/meta.ts";
import type { WriteAttributes } from "../admission.ts";
import { defaultStrategy, mergeStrategy, validateMetaUpdate } from "../prepare.ts";
import { conflict } from "../refusals.ts";
import type { Strategy } from "./strategy.ts";

/** Seconds a pod is given to end. One without a node, or whose containers have all ended, needs none. */
function podGracePeriodSeconds(object: ApiObject, requested: number | undefined): number {
  const { spec, status } = object as Pod;
  if (!spec.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
  const grace = requested ?? spec.terminationGracePeriodSeconds ?? 30;
  return grace < 0 ? 1 : grace;
}

/** The condition of a new pod whose scheduling gates are not all removed yet (KEP-3521). */
const gated = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
};

export const podStrategy: Partial<Strategy> = {
  prepareForCreate(draft, by) {
    const pod = defaultStrategy.prepareForCreate(draft, by) as Draft<Pod>;
    return pod.spec?.schedulingGates?.length ? ({ ...pod, status: { conditions: [gated] } } as Draft<ApiObject>) : pod;
  },
  statusKeeps: ["ownerReferences"],
  deletion: { gracePeriodSeconds: podGracePeriodSeconds, returnsObject: true },
};

/** Assigns the pod to a node, once. `sent` is a pod of which only `spec.nodeName` is read. */
function bound(old: ApiObject, sent: ApiObject, { r, now }: WriteAttributes): ApiObject {
  const pod = old as Pod;
  const { nodeName } = (sent as Pod).spec;
  const { name, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined)
    throw conflict(r, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw conflict(r, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  if (!nodeName) throw new ApiError("Invalid", "target.name: Required value");
  const conditions = (pod.status?.conditions ?? []).filter((c) => c.type !== "PodScheduled");
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: timestamp(now) };
  return {
    ...pod,
    metadata: { ...pod.metadata, uid: sent.metadata.uid || pod.metadata.uid },
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...conditions, scheduled] },
  } as ApiObject;
}

/** The server itself makes the whole change, so there is nothing to reset or validate. */
export const bindingStrategy = mergeStrategy(bound, {
  prepareForUpdate: (next) => next,
  validateUpdate: () => [],
  warnings: () => [],
  tracksFields: false,
});

export const ephemeralContainersStrategy = mergeStrategy(
  (old, sent) => withEphemeralContainers(old as Pod, sent as Pod) as ApiObject,
  { validateUpdate: (next, old) => validateEphemeralChange(next as Pod, old as Pod) },
);

export const resizeStrategy = mergeStrategy((old, sent) => resized(old as Pod, sent as Pod) as ApiObject, {
  validateUpdate: (next, old, { r }) => [
    ...validateMetaUpdate(r, next.metadata, old.metadata),
    ...validateResize(next as Pod, old as Pod),
  ],
});
