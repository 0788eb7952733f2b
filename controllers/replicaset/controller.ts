// Wires the replica set's decision to the views it reads.
import type { Pod, ReplicaSet } from "../../api/generated/types.ts";
import { controllerOf, keyOf, type Key } from "../../api/meta.ts";
import { selects } from "../../api/selector.ts";
import { itself, managedBy, type Controller } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";
import { decide, type Observed } from "./decide.ts";

export interface Views {
  readonly replicaSets: Informer<ReplicaSet>;
  /** Indexed by `owner` (uid of the controller, or empty) and `namespace`. */
  readonly pods: Informer<Pod>;
}

export function replicaSetController(views: Views): Controller<Observed> {
  const deletions = new Map<string, number>();
  views.pods.onChange((pod) => {
    const owner = controllerOf(pod);
    const gone = views.pods.lister.get(keyOf(pod)) === undefined;
    if (owner?.kind === "ReplicaSet" && gone) deletions.set(owner.uid, (deletions.get(owner.uid) ?? 0) + 1);
  });
  views.replicaSets.onChange((set) => {
    if (views.replicaSets.lister.get(keyOf(set)) === undefined) deletions.delete(set.metadata.uid);
  });
  /** A pod nobody controls may be one a set has been looking for. */
  const seekers = (pod: Pod): readonly Key[] =>
    controllerOf(pod) !== undefined
      ? []
      : views.replicaSets.lister
          .byIndex("namespace", pod.metadata.namespace ?? "")
          .filter((s) => selects(s.spec.selector, pod.metadata.labels))
          .map(keyOf);
  return {
    name: "replicaset",
    watches: [
      { informer: views.replicaSets, keys: itself },
      {
        informer: views.pods,
        keys: (pod: Pod, before?: Pod) => [
          ...managedBy("ReplicaSet")(pod),
          ...(before ? managedBy("ReplicaSet")(before) : []),
          ...seekers(pod),
        ],
      },
    ],
    observe: (key) => {
      const set = views.replicaSets.lister.get(key);
      if (set === undefined) return undefined;
      const owned = views.pods.lister.byIndex("owner", set.metadata.uid);
      const free = views.pods.lister
        .byIndex("owner", "")
        .filter((p) => p.metadata.namespace === set.metadata.namespace);
      return { set, pods: [...owned, ...free], deletions: deletions.get(set.metadata.uid) ?? 0 };
    },
    decide,
  };
}
