// The cluster as the scheduler knows it: what the views show, and the bindings that they do not show yet. One change
// costs what it changes.
import { occupies } from "../api/core/pods.ts";
import type { Node, Pod } from "../api/generated/types.ts";
import { type ApiObject, type Key, keyOf, revision } from "../api/meta.ts";
import { view } from "../machinery/view.ts";
import { byNamespace, type Snapshot } from "./framework.ts";
import { type PodInfo, podInfoOf } from "./node-info.ts";
import { nodeList } from "./node-list.ts";
import { nominations } from "./nominations.ts";
import { groupMembers } from "./group-members.ts";

export interface SchedulerCache {
  /** Updates the cache from the pod view; `undefined` when the pod was deleted. */
  podSeen(key: Key, pod: Pod | undefined): void;
  nodeSeen(name: string, node: Node | undefined): void;
  /**
   * Counts the pod on the node before the view shows it there: otherwise the next pod would get the same room. Returns
   * what takes this back as if it had not been.
   */
  assume(pod: Pod, nodeName: string): () => void;
  /** The nodes as if these pods had left them, until what is returned is called. */
  without(pods: Iterable<PodInfo>): () => void;
  /** Expects the pod on a node before the view shows it; or not any more. */
  nominate(pod: Pod, nodeName: string | undefined): void;
  /** The pod with a nomination that the view does not show yet. */
  withNomination(pod: Pod): Pod;
  /** The binding failed. */
  forget(key: Key): void;
  /** Whether this pod is, not another one of its name. */
  isAssumed(pod: Pod): boolean;
  /** The pods of a pod group that have not ended. */
  membersOf(group: Key): ReadonlyMap<Key, Pod>;
  /** Whether the pod is on a node, or assumed to be. */
  hasNode(key: Key): boolean;
  snapshot(): Snapshot;
}

/** A cluster of pods and nodes alone. */
const noObjects: Snapshot["lister"] = <T extends ApiObject>() => ({ ...view<T>(byNamespace), revision: revision(0) });

/** `lister` finds the objects of kinds other than pods and nodes. */
export function schedulerCache(lister: Snapshot["lister"] = noObjects): SchedulerCache {
  const nodes = nodeList();
  const seen = new Map<Key, PodInfo>();
  const assumed = new Map<Key, PodInfo>();
  const nominated = nominations(nodes.touch);
  const members = groupMembers();

  const effective = (key: Key): PodInfo | undefined => seen.get(key) ?? assumed.get(key);
  const change = (key: Key, edit: () => void): void => {
    const before = effective(key);
    edit();
    const after = effective(key);
    const [from, to] = [before?.pod.spec.nodeName, after?.pod.spec.nodeName];
    if (from !== undefined && from !== to) nodes.removePod(from, key);
    if (to !== undefined) nodes.addPod(to, after!);
  };
  return {
    podSeen(key, pod) {
      nominated.seen(key, assumed.has(key) ? undefined : pod);
      members.seen(key, pod);
      change(key, () => {
        if (pod && occupies(pod)) seen.set(key, podInfoOf(pod));
        else seen.delete(key);
        // Bound or deleted in the view: the view is current. Unbound: the view is stale.
        if (pod === undefined || pod.spec.nodeName !== undefined) assumed.delete(key);
      });
    },
    nodeSeen: nodes.set,
    assume: (pod, nodeName) => {
      const key = keyOf(pod);
      const nominateAgain = nominated.suspend(pod);
      const info = podInfoOf({ ...pod, spec: { ...pod.spec, nodeName } });
      change(key, () => assumed.set(key, info));
      return () => {
        // Otherwise the view has shown its end or its binding meanwhile.
        if (assumed.get(key) !== info) return;
        change(key, () => assumed.delete(key));
        nominateAgain();
      };
    },
    without(pods) {
      const keys = [...pods].map(({ key, pod }) => {
        nodes.removePod(pod.spec.nodeName!, key);
        return key;
      });
      return () => {
        for (const key of keys) {
          const info = effective(key);
          if (info) nodes.addPod(info.pod.spec.nodeName!, info);
        }
      };
    },
    nominate: nominated.set,
    withNomination(pod) {
      const nominatedNodeName = nominated.nodeOf(keyOf(pod)) ?? pod.status?.nominatedNodeName;
      const isShown = nominatedNodeName === pod.status?.nominatedNodeName;
      return isShown ? pod : { ...pod, status: { ...pod.status, nominatedNodeName } };
    },
    forget: (key) => change(key, () => assumed.delete(key)),
    isAssumed(pod) {
      const info = assumed.get(keyOf(pod));
      return info !== undefined && info.pod.metadata.uid === pod.metadata.uid;
    },
    membersOf: members.of,
    hasNode: (key) => effective(key) !== undefined,
    snapshot: () => ({
      nodes: nodes.ordered(),
      byName: nodes.byName,
      bySlot: nodes.bySlot,
      slotsByName: nodes.slotsByName(),
      changes: nodes.changes,
      imageNodes: nodes.imageNodes,
      topology: nodes.topology,
      nominated: nominated.byNode,
      lister,
    }),
  };
}
