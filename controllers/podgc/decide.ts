// Which pods no other component deletes: those of nodes that are gone, those that never started and are to go, and the
// oldest finished ones when there are too many. Pure.
import { withCondition } from "../../api/conditions.ts";
import { pods } from "../../api/core/pods.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import type { Pod } from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import type { Action } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";

/** One pod, or all finished pods of the cluster. */
export type Observed =
  | {
      readonly pod: Pod;
      /** Since when the pod's node has been missing; undefined when it is there, or the pod has none. */
      readonly nodeMissingSince: Instant | undefined;
    }
  | {
      /** Finished pods, where there are more than are kept. */
      readonly finished: readonly Pod[];
      /** Kubernetes: 12,500. */
      readonly keepFinished: number;
    };

/** A node must be missing this long before its pods are deleted. Kubernetes: 40 s. */
export const quarantineMs = 40_000;
const periodMs = 20_000;

const deleteNow = (pod: Pod): Action => ({
  ...{ do: "delete", resource: pods, object: pod },
  options: { gracePeriodSeconds: 0 },
});

/** A pod of a missing node first fails, so that its end is recorded, and is deleted at the next look. */
function orphaned(pod: Pod, now: Instant): Action {
  if (isTerminal(pod)) return deleteNow(pod);
  const conditions = withCondition(
    pod.status?.conditions,
    { type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC", message: "PodGC: node no longer exists" },
    now,
  );
  return { do: "status", resource: pods, object: pod, status: { ...pod.status, phase: "Failed", conditions } };
}

const byAge = (a: Pod, b: Pod): number =>
  instantOf(a.metadata.creationTimestamp) - instantOf(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

export function decide(observed: Observed, now: Instant): Decision {
  if ("finished" in observed) {
    const { finished, keepFinished } = observed;
    const excess = Math.max(0, finished.length - keepFinished);
    const because = excess > 0 ? [`${finished.length} pods are finished, ${keepFinished} are kept`] : [];
    return { actions: finished.toSorted(byAge).slice(0, excess).map(deleteNow), because, requeueAfter: periodMs };
  }
  const { pod, nodeMissingSince } = observed;
  if (nodeMissingSince !== undefined) {
    const waitMs = nodeMissingSince + quarantineMs - now;
    const because = [`node ${pod.spec.nodeName} does not exist`];
    return waitMs > 0 ? { actions: [], because, requeueAfter: waitMs } : { actions: [orphaned(pod, now)], because };
  }
  return pod.spec.nodeName === undefined && pod.metadata.deletionTimestamp !== undefined
    ? { actions: [deleteNow(pod)], because: ["it is being deleted and was never scheduled"] }
    : settled;
}
