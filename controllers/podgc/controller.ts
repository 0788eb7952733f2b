// Pod garbage collection: one key per pod whose node is missing or that was never scheduled, and one for all finished.
import { nodes } from "../../api/core/nodes.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { type Instant, type Key, key, keyOf } from "../../api/meta.ts";
import { type Controller, controller, type KeysOf, type Views, watch } from "../../machinery/controller.ts";
import { decide, type Observed } from "./decide.ts";

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
