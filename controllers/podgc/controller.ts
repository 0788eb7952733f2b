// Pod garbage collection: deletes pods of deleted nodes, unscheduled terminating pods, and the oldest completed ones
// above a threshold. One key per pod, and one for all completed pods.
import { withCondition } from "../../api/conditions.ts";
import { pods } from "../../api/core/pods.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import type { Pod } from "../../api/generated/types.ts";
import { type Instant, instantOf, type Key, key, keyOf } from "../../api/meta.ts";
import type { Action } from "../../machinery/action.ts";
import {
  type Decision,
  settled,
  type Controller,
  controller,
  type KeysOf,
  type Views,
  watch,
} from "../../machinery/controller.ts";
import { nodes } from "../../api/core/nodes.ts";

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

/** The key of the finished pods: no pod has it, for pods have a namespace. */
const finishedPods: Key = key(undefined, "finished");
const indexes = {
  node: (pod: Pod) => [pod.spec.nodeName ?? ""],
  finished: (pod: Pod) => (isTerminal(pod) ? ["true"] : []),
};

/** Keeps at most so many finished pods. Kubernetes: 12,500. */
export function podGcController(keepFinished = 12_500): Controller<Observed> {
  /** Since when nodes that pods name have been missing from the view. */
  const missing = new Map<string, Instant>();
  const hasNode = (views: Views, name: string): boolean => views.of(nodes).get(key(undefined, name)) !== undefined;
  const missingSince = (views: Views, name: string | undefined, now: Instant): Instant | undefined => {
    if (name === undefined || hasNode(views, name)) return undefined;
    const since = missing.get(name) ?? now;
    missing.set(name, since);
    return since;
  };
  const ofPod: KeysOf<Pod> = (pod, { type, views }) => {
    const { nodeName } = pod.spec;
    if (type === "deleted") {
      if (nodeName && views.of(pods).countByIndex("node", nodeName) === 0) missing.delete(nodeName);
      return [];
    }
    const concerns = nodeName === undefined ? pod.metadata.deletionTimestamp !== undefined : !hasNode(views, nodeName);
    return concerns ? [keyOf(pod)] : [];
  };
  return controller({
    name: "podgc",
    reconciles: pods,
    indexes,
    keysOf: ofPod,
    initialKeys: [finishedPods],
    watches: [
      watch(nodes, ({ metadata: { name } }, { type, views }) => {
        if (type !== "deleted") missing.delete(name);
        return type === "deleted" ? views.of(pods).byIndex("node", name).map(keyOf) : [];
      }),
    ],
    writes: [
      { kind: pods, verbs: ["delete"] },
      { kind: pods, subresource: "status", verbs: ["update"] },
    ],
    observe(views, k, now) {
      if (k === finishedPods) {
        const isExceeded = views.of(pods).countByIndex("finished", "true") > keepFinished;
        return { finished: isExceeded ? views.of(pods).byIndex("finished", "true") : [], keepFinished };
      }
      const pod = views.of(pods).get(k);
      return pod && { pod, nodeMissingSince: missingSince(views, pod.spec.nodeName, now) };
    },
    decide,
  });
}
