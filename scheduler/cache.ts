// The scheduler's picture of the nodes, kept up to date pod by pod, with its own bindings laid over what the view
// shows.
import type { Node, Pod } from "../api/generated/types.ts";
import { occupies } from "../api/core/pods.ts";
import { keyOf, type Key } from "../api/meta.ts";
import { nodeView, type NodeView, type Snapshot } from "./framework.ts";

export interface SchedulerCache {
  /** The pod view shows this now; `undefined` when the pod is gone. */
  podSeen(key: Key, pod: Pod | undefined): void;
  nodeSeen(name: string, node: Node | undefined): void;
  /** Promise room that the view does not show as taken yet: otherwise two pods would be promised the same room. */
  assume(pod: Pod, nodeName: string): void;
  /** The promise failed, or the view has caught up with it. */
  forget(key: Key): void;
  isAssumed(key: Key): boolean;
  snapshot(): Snapshot;
}

export function schedulerCache(): SchedulerCache {
  const nodes = new Map<string, Node>();
  const seen = new Map<Key, Pod>();
  const assumed = new Map<Key, Pod>();
  const occupants = new Map<string, Map<Key, Pod>>();
  const views = new Map<string, NodeView>();
  let sorted: Snapshot | undefined;

  const touch = (nodeName: string): void => {
    views.delete(nodeName);
    sorted = undefined;
  };
  const settleKey = (key: Key, before: Pod | undefined, now: Pod | undefined): void => {
    const [from, to] = [before?.spec.nodeName, now?.spec.nodeName];
    if (from !== undefined) {
      occupants.get(from)?.delete(key);
      touch(from);
    }
    if (now !== undefined && to !== undefined) {
      const there = occupants.get(to) ?? new Map<Key, Pod>();
      occupants.set(to, there.set(key, now));
      touch(to);
    }
  };
  const effective = (key: Key): Pod | undefined => seen.get(key) ?? assumed.get(key);
  const change = (key: Key, edit: () => void): void => {
    const before = effective(key);
    edit();
    settleKey(key, before, effective(key));
  };
  const viewOf = (name: string, node: Node): NodeView => {
    const known = views.get(name);
    if (known) return known;
    const fresh = nodeView(node, [...(occupants.get(name)?.values() ?? [])]);
    views.set(name, fresh);
    return fresh;
  };

  return {
    podSeen: (key, pod) =>
      change(key, () => {
        if (pod && occupies(pod)) seen.set(key, pod);
        else seen.delete(key);
        // Bound in the view, or gone from it: the promise has done its work. Unbound in it: the view is merely behind.
        if (pod === undefined || pod.spec.nodeName !== undefined) assumed.delete(key);
      }),
    nodeSeen(name, node) {
      if (node) nodes.set(name, node);
      else nodes.delete(name);
      touch(name);
    },
    assume: (pod, nodeName) => {
      const key = keyOf(pod);
      change(key, () => assumed.set(key, { ...pod, spec: { ...pod.spec, nodeName } }));
    },
    forget: (key) => change(key, () => assumed.delete(key)),
    isAssumed: (key) => assumed.has(key),
    snapshot() {
      sorted ??= [...nodes].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, node]) => viewOf(name, node));
      return sorted;
    },
  };
}
