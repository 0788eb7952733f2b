// The scheduler's picture of the cluster: what the views show, and the bindings that they do not show yet.
import { occupies } from "../api/core/pods.ts";
import type { Node, Pod } from "../api/generated/types.ts";
import { keyOf, type Key } from "../api/meta.ts";
import type { Snapshot } from "./framework.ts";
import { podInfoOf, type PodInfo } from "./node-info.ts";
import { nodeList } from "./node-list.ts";

export interface SchedulerCache {
  /** The pod view shows this now; `undefined` when the pod is gone. */
  podSeen(key: Key, pod: Pod | undefined): void;
  nodeSeen(name: string, node: Node | undefined): void;
  /** Counts the pod on the node before the view shows it there: otherwise the next pod would be given the same room. */
  assume(pod: Pod, nodeName: string): void;
  /** The binding failed. */
  forget(key: Key): void;
  isAssumed(key: Key): boolean;
  snapshot(): Snapshot;
}

interface Nominations {
  readonly byNode: ReadonlyMap<string, readonly PodInfo[]>;
  set(key: Key, pod: Pod | undefined): void;
}
/** Pods that wait for room on a node, by node. */
function nominations(): Nominations {
  const byNode = new Map<string, readonly PodInfo[]>();
  const nodeOf = new Map<Key, string>();
  const remove = (key: Key, nodeName: string): void => {
    const others = (byNode.get(nodeName) ?? []).filter((p) => p.key !== key);
    if (others.length > 0) byNode.set(nodeName, others);
    else byNode.delete(nodeName);
    nodeOf.delete(key);
  };
  return {
    byNode,
    set(key, pod) {
      const before = nodeOf.get(key);
      if (before !== undefined) remove(key, before);
      const now = pod?.status?.nominatedNodeName;
      if (!pod || !now || pod.spec.nodeName !== undefined) return;
      nodeOf.set(key, now);
      byNode.set(now, [...(byNode.get(now) ?? []), podInfoOf(pod)]);
    },
  };
}

const noListers: Snapshot["lister"] = ({ plural }) => {
  throw new Error(`no plugin reads ${plural}`);
};

/** `lister` finds the objects of kinds other than pods and nodes. */
export function schedulerCache(lister: Snapshot["lister"] = noListers): SchedulerCache {
  const nodes = nodeList();
  const seen = new Map<Key, PodInfo>();
  const assumed = new Map<Key, PodInfo>();
  const nominated = nominations();

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
      nominated.set(key, pod);
      change(key, () => {
        if (pod && occupies(pod)) seen.set(key, podInfoOf(pod));
        else seen.delete(key);
        // Bound in the view, or gone from it: the view is right. Unbound in it: the view is merely behind.
        if (pod === undefined || pod.spec.nodeName !== undefined) assumed.delete(key);
      });
    },
    nodeSeen: nodes.set,
    assume: (pod, nodeName) => {
      const key = keyOf(pod);
      change(key, () => assumed.set(key, podInfoOf({ ...pod, spec: { ...pod.spec, nodeName } })));
    },
    forget: (key) => change(key, () => assumed.delete(key)),
    isAssumed: (key) => assumed.has(key),
    snapshot: () => ({
      nodes: nodes.ordered(),
      byName: nodes.byName,
      imageNodes: nodes.imageNodes,
      nominated: nominated.byNode,
      lister,
    }),
  };
}
