// Evictions of pods whose devices are tainted with NoExecute. Pure. Source: KEP-5055.
import { withCondition } from "../../api/conditions.ts";
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import type {
  Device,
  DeviceRequestAllocationResult,
  DeviceTaint,
  Pod,
  PodCondition,
  ResourceSlice,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { isTolerated } from "../../api/resource/device-taints.ts";
import { recordEvent } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";

export interface Observed {
  readonly pod: Pod;
  /** Those that are reserved for the pod. */
  readonly claims: readonly ResourceClaim[];
  /** The slices of the pools of their devices. */
  readonly slices: readonly ResourceSlice[];
}

/** The device as the newest generation of its pool has it. */
function deviceOf(result: DeviceRequestAllocationResult, slices: readonly ResourceSlice[]): Device | undefined {
  const ofPool = slices.filter(({ spec }) => spec.driver === result.driver && spec.pool.name === result.pool);
  const newest = Math.max(...ofPool.map(({ spec }) => spec.pool.generation));
  return ofPool
    .filter(({ spec }) => spec.pool.generation === newest)
    .flatMap(({ spec }) => spec.devices ?? [])
    .find(({ name }) => name === result.device);
}

/** When the taint ends the use of the device; never when it is tolerated without a limit. */
function endOfUse(taint: DeviceTaint, { tolerations = [] }: DeviceRequestAllocationResult): number {
  const added = instantOf(taint.timeAdded ?? "1970-01-01T00:00:00Z");
  const own = tolerations.filter((toleration) => toleration.effect === "NoExecute" && isTolerated(taint, toleration));
  const limits = own.flatMap(({ tolerationSeconds: s }) => (s === undefined ? [] : [Math.max(0, s)]));
  if (own.length > limits.length) return Number.POSITIVE_INFINITY;
  return added + (own.length === 0 ? 0 : Math.min(...limits) * 1000);
}

/** When the pod leaves; infinite when it stays. */
export function leavesAt({ claims, slices }: Observed): number {
  const results = claims.flatMap(({ status }) => status?.allocation?.devices?.results ?? []);
  const moments = results.flatMap((result) =>
    (deviceOf(result, slices)?.taints ?? [])
      .filter(({ effect }) => effect === "NoExecute")
      .map((taint) => endOfUse(taint, result)),
  );
  return Math.min(Number.POSITIVE_INFINITY, ...moments);
}

const disruption: PodCondition = {
  ...{ type: "DisruptionTarget", status: "True", reason: "DeletionByDeviceTaintManager" },
  message: "Device Taint manager: deleting due to NoExecute taint",
};

export function decide(observed: Observed, now: Instant): Decision {
  const { pod } = observed;
  const at = leavesAt(observed);
  if (at === Number.POSITIVE_INFINITY || pod.metadata.deletionTimestamp !== undefined) return settled;
  if (at > now) return { actions: [], requeueAfter: at - now };
  const because = ["a device of the pod is tainted"];
  // First the condition with the reason, then the deletion in the next reconcile, so that neither is lost.
  if (conditionOf(pod.status?.conditions, "DisruptionTarget")?.reason !== disruption.reason && !isTerminal(pod)) {
    const conditions = withCondition<PodCondition>(pod.status?.conditions, disruption, now);
    return { actions: [{ do: "status", resource: pods, object: pod, status: { ...pod.status, conditions } }], because };
  }
  const event = recordEvent(pod, "Normal", "DeviceTaintManagerEviction", "Marking for deletion");
  return { actions: [event, { do: "delete", resource: pods, object: pod }], because };
}
