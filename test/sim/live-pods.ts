// The pods that run on the nodes, whatever the server knows of them: at most one of each identity. Names of
// other controllers' pods are random, and may be drawn again while a pod of that name still runs on a lost node.
import type { Pod } from "../../api/generated/types.ts";
import { controllerOf, keyOf } from "../../api/meta.ts";
import type { LivePods } from "./node-agent.ts";

/** Accuses a second live pod of a name that is an identity: of a StatefulSet, or of a pod without a controller. */
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
      const { name, uid } = pod.metadata;
      const nodes = of(pod).set(uid, pod.spec.nodeName!);
      const owner = controllerOf(pod)?.kind ?? "StatefulSet";
      if (nodes.size > 1 && owner === "StatefulSet") accuse(name);
    },
    ended: (pod) => void of(pod).delete(pod.metadata.uid),
  };
  /** A user declares a node gone whose pods still run. */
  const declareGone = (nodeName: string): void => {
    for (const nodes of live.values()) for (const [uid, at] of nodes) if (at === nodeName) nodes.delete(uid);
  };
  return { ...pods, declareGone };
}
