// DaemonSet: owns pods and revisions, and observes nodes. Failed pods are remembered, so that they are not retried at
// once.
import { controllerRevisions } from "../../api/apps/controllerrevisions.ts";
import { daemonSets } from "../../api/apps/daemonsets.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import type { DaemonSet, Node, Pod } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { controllerOf, key, keyOf } from "../../api/meta.ts";
import { type Controller, controller, type KeysOf, watch } from "../../machinery/controller.ts";
import { decide, failureMore, type Failures, type Observed } from "./decide.ts";
import { nodeOf } from "./pods.ts";

/** A node concerns every set, but only by what decides whether pods may run on it. */
const setsOfNode: KeysOf<Node> = (node, { type, before, views }) => {
  const isSame =
    type === "updated" &&
    sameJson(node.metadata.labels, before?.metadata.labels) &&
    sameJson(node.spec.taints, before?.spec.taints);
  return isSame ? [] : views.of(daemonSets).all().map(keyOf);
};

/** Failed pods that were deleted, by set and node. */
function failureMemory() {
  const bySet = new Map<string, Map<string, Failures>>();
  return {
    on: (set: DaemonSet, node: string): Failures | undefined => bySet.get(set.metadata.uid)?.get(node),
    record: ((pod, { type, now }) => {
      const [owner, node] = [controllerOf(pod), nodeOf(pod)];
      if (type !== "deleted" || pod.status?.phase !== "Failed" || owner?.kind !== "DaemonSet" || !node) return [];
      const byNode = bySet.get(owner.uid) ?? new Map<string, Failures>();
      bySet.set(owner.uid, byNode.set(node, failureMore(byNode.get(node), now)));
      return [];
    }) satisfies KeysOf<Pod>,
    forget: (set: DaemonSet): void => void bySet.delete(set.metadata.uid),
  };
}

export function daemonSetController(): Controller<Observed> {
  const failures = failureMemory();
  return controller({
    ...{ name: "daemonset", account: "daemon-set-controller" },
    reconciles: daemonSets,
    owns: [pods, controllerRevisions],
    selectorOf: (set) => set.spec.selector,
    keysOf(set, { type }) {
      if (type === "deleted") failures.forget(set);
      return [keyOf(set)];
    },
    watches: [watch(nodes, setsOfNode), watch(pods, failures.record)],
    writes: [
      { kind: daemonSets, subresource: "status", verbs: ["update"] },
      { kind: controllerRevisions, verbs: ["update"] },
    ],
    observe(views, k) {
      const set = views.of(daemonSets).get(k);
      if (set === undefined) return undefined;
      const { namespace } = set.metadata;
      return {
        ...{ set, nodes: views.of(nodes).all(), deletions: views.deletionsOf(set) },
        pods: views.childrenOf(pods, set, set.spec.selector),
        revisions: views.childrenOf(controllerRevisions, set, set.spec.selector),
        revisionNamed: (name) => views.of(controllerRevisions).get(key(namespace, name)),
        isTaken: (name) => views.of(pods).get(key(namespace, name)) !== undefined,
        failuresOn: (node) => failures.on(set, node),
      };
    },
    decide,
  });
}
