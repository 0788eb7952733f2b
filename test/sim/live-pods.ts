// The pods that run on the nodes, whatever the server knows of them: at most one of each name.
import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import type { LivePods } from "./node-agent.ts";

/** Accuses a second live pod of a name. */
export function livePods(accuse: (what: string) => void): LivePods {
  const live = new Map<string, Set<string>>();
  const of = (pod: Pod): Set<string> => {
    const name = keyOf(pod);
    const uids = live.get(name) ?? new Set();
    live.set(name, uids);
    return uids;
  };
  return {
    started(pod) {
      if (of(pod).add(pod.metadata.uid).size > 1) accuse(pod.metadata.name);
    },
    ended: (pod) => void of(pod).delete(pod.metadata.uid),
  };
}
