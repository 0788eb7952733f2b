// Pod garbage collection: deletes pods of deleted nodes, terminating pods that are unscheduled or whose node is out of
// service (KEP-2268), and the oldest completed ones above a threshold. One key per pod, and one for all completed pods.
import { withCondition } from "../../api/conditions.ts";
import { pods } from "../../api/core/pods.ts";
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
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
      /** Its node is not ready, and an administrator has marked it so: nothing of the pod runs there any more. */
      readonly isOutOfService: boolean;
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

/** By this taint an administrator says that a node is shut down. */
const outOfService = "node.kubernetes.io/out-of-service";
const isOutOfService = ({ spec, status }: Node): boolean =>
  spec.taints?.some(({ key }) => key === outOfService) === true &&
  conditionOf(status?.conditions, "Ready")?.status !== "True";

const deleteNow = (pod: Pod): Action => ({
  ...{ do: "delete", resource: pods, object: pod },
  options: { gracePeriodSeconds: 0 },
});

const nodeIsGone = {
  ...{ type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC" },
  message: "PodGC: node no longer exists",
};

/** A pod that its node cannot end first fails, so that its end is recorded, and is deleted at the next look. */
function ended(pod: Pod, conditions: NonNullable<Pod["status"]>["conditions"]): Action {
  if (isTerminal(pod)) return deleteNow(pod);
  const status = { ...pod.status, phase: "Failed" as const, ...(conditions && { conditions }) };
  return { do: "status", resource: pods, object: pod, status };
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
  const { nodeName } = pod.spec;
  if (nodeMissingSince !== undefined) {
    const waitMs = nodeMissingSince + quarantineMs - now;
    const because = [`node ${nodeName} does not exist`];
    if (waitMs > 0) return { actions: [], because, requeueAfter: waitMs };
    return { actions: [ended(pod, withCondition(pod.status?.conditions, nodeIsGone, now))], because };
  }
  if (pod.metadata.deletionTimestamp === undefined) return settled;
  if (nodeName === undefined)
    return { actions: [deleteNow(pod)], because: ["it is being deleted and was never scheduled"] };
  if (!observed.isOutOfService) return settled;
  return {
    actions: [ended(pod, pod.status?.conditions)],
    because: [`it is being deleted and node ${nodeName} is out of service`],
  };
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
  const nodeOf = (views: Views, name: string): Node | undefined => views.of(nodes).get(key(undefined, name));
  const missingSince = (views: Views, name: string | undefined, now: Instant): Instant | undefined => {
    if (name === undefined || nodeOf(views, name) !== undefined) return undefined;
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
    const node = nodeName === undefined ? undefined : nodeOf(views, nodeName);
    const isDeleted = pod.metadata.deletionTimestamp !== undefined;
    const isOrphan = nodeName !== undefined && node === undefined;
    const cannotEnd = isDeleted && (node === undefined || isOutOfService(node));
    return isOrphan || cannotEnd ? [keyOf(pod)] : [];
  };
  return controller({
    ...{ name: "podgc", account: "pod-garbage-collector" },
    reconciles: pods,
    indexes,
    keysOf: ofPod,
    initialKeys: [finishedPods],
    watches: [
      watch(nodes, (node, { type, views }) => {
        const { name } = node.metadata;
        if (type !== "deleted") missing.delete(name);
        return type === "deleted" || isOutOfService(node) ? views.of(pods).byIndex("node", name).map(keyOf) : [];
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
      if (!pod) return undefined;
      const node = pod.spec.nodeName === undefined ? undefined : nodeOf(views, pod.spec.nodeName);
      return {
        pod,
        nodeMissingSince: missingSince(views, pod.spec.nodeName, now),
        isOutOfService: node !== undefined && isOutOfService(node),
      };
    },
    decide,
  });
}
