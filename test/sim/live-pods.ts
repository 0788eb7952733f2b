// The pods that run on the nodes, whatever the server knows of them: at most one of each name.
import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import type { LivePods } from "./node-agent.ts";

/** Accuses a second live pod of a name. */
export function livePods(accuse: (what: string) => void) {
  /** By name, the nodes of its live pods by their uids. */
  const live = new Map<string, Map<string, string>>();
  const of = (pod: Pod): Map<string, string> => {
    const name = keyOf(pod);
    const nodes = live.get(name) ?? new Map<string, string>();
    live.set(name, nodes);
    return nodes;
  };
  const pods: LivePods = {
    started(pod) {
      if (of(pod).set(pod.metadata.uid, pod.spec.nodeName!).size > 1) accuse(pod.metadata.name);
    },
    ended: (pod) => void of(pod).delete(pod.metadata.uid),
  };
  /** A user declares a node gone whose pods still run. */
  const declareGone = (nodeName: string): void => {
    for (const nodes of live.values()) for (const [uid, at] of nodes) if (at === nodeName) nodes.delete(uid);
  };
  return { ...pods, declareGone };
}
