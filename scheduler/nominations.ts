// Pods that wait for room on a node: others leave it to them.
import type { Pod } from "../api/generated/types.ts";
import { type Key, keyOf } from "../api/meta.ts";
import { type PodInfo, podInfoOf } from "./node-info.ts";

interface Nominations {
  readonly byNode: ReadonlyMap<string, readonly PodInfo[]>;
  /** The node on which a pod is expected. */
  nodeOf(key: Key): string | undefined;
  /** What the pod view shows: a nomination that it does not show yet stays. */
  seen(key: Key, pod: Pod | undefined): void;
  set(pod: Pod, nodeName: string | undefined): void;
  /** Removes the nomination of the pod, and returns what brings it back. */
  suspend(pod: Pod): () => void;
}
/** No pods yet. `changed` is called with the name of a node, and the pods that were expected there before. */
export function nominations(changed: (nodeName: string, before: readonly PodInfo[] | undefined) => void): Nominations {
  const byNode = new Map<string, readonly PodInfo[]>();
  const entries = new Map<Key, { readonly nodeName: string; readonly isShown: boolean }>();
  const remove = (key: Key): void => {
    const nodeName = entries.get(key)?.nodeName;
    if (nodeName === undefined) return;
    entries.delete(key);
    const before = byNode.get(nodeName);
    const others = (before ?? []).filter((p) => p.key !== key);
    if (others.length > 0) byNode.set(nodeName, others);
    else byNode.delete(nodeName);
    changed(nodeName, before);
  };
  const add = (key: Key, pod: Pod, nodeName: string, isShown: boolean): void => {
    remove(key);
    entries.set(key, { nodeName, isShown });
    const before = byNode.get(nodeName);
    byNode.set(nodeName, [...(before ?? []), podInfoOf(pod)]);
    changed(nodeName, before);
  };
  return {
    byNode,
    nodeOf: (key) => entries.get(key)?.nodeName,
    seen(key, pod) {
      const nodeName = pod?.status?.nominatedNodeName;
      if (!pod || pod.spec.nodeName !== undefined) remove(key);
      else if (nodeName) add(key, pod, nodeName, true);
      else if (entries.get(key)?.isShown) remove(key);
    },
    set(pod, nodeName) {
      if (nodeName) add(keyOf(pod), pod, nodeName, false);
      else remove(keyOf(pod));
    },
    suspend(pod) {
      const entry = entries.get(keyOf(pod));
      remove(keyOf(pod));
      return () => {
        if (entry) add(keyOf(pod), pod, entry.nodeName, entry.isShown);
      };
    },
  };
}
