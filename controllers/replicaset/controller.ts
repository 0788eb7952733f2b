// Wires the decision about replicas to the views it reads: for sets, and for the controllers that came before them.
import type { Pod, ReplicaSet, ReplicationController } from "../../api/generated/types.ts";
import { type ApiObject, controllerOf, key, keyOf, type Key } from "../../api/meta.ts";
import { selects } from "../../api/selector.ts";
import { itself, managedBy, type Controller } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";
import { decide, type Observed } from "./decide.ts";

export interface Views {
  /** Indexed by `namespace`. */
  readonly replicaSets: Informer<ReplicaSet>;
  /** Indexed by `owner` (uid of the controller, or empty) and `namespace`. */
  readonly pods: Informer<Pod>;
}

/** Keeps the number of pods that objects of a kind want, once they are read as sets. */
function replicas<T extends ApiObject>(
  name: string,
  { sets, pods }: { readonly sets: Informer<T>; readonly pods: Informer<Pod> },
  asSet: (object: T) => ReplicaSet,
): Controller<Observed> {
  const { kind } = sets.resource;
  const deletions = new Map<string, number>();
  pods.onChange((pod) => {
    const owner = controllerOf(pod);
    const gone = pods.lister.get(keyOf(pod)) === undefined;
    if (owner?.kind === kind && gone) deletions.set(owner.uid, (deletions.get(owner.uid) ?? 0) + 1);
  });
  sets.onChange((set) => {
    if (sets.lister.get(keyOf(set)) === undefined) deletions.delete(set.metadata.uid);
  });
  /** A pod nobody controls may be one a set has been looking for. */
  const seekers = (pod: Pod): readonly Key[] =>
    controllerOf(pod) !== undefined
      ? []
      : sets.lister
          .byIndex("namespace", pod.metadata.namespace ?? "")
          .filter((s) => selects(asSet(s).spec.selector, pod.metadata.labels))
          .map(keyOf);
  const managed = managedBy(kind);
  return {
    name,
    watches: [
      { informer: sets, keys: itself },
      {
        informer: pods,
        keys: (pod: Pod, before?: Pod) => [...managed(pod), ...(before ? managed(before) : []), ...seekers(pod)],
      },
    ],
    observe: (k) => {
      const found = sets.lister.get(k);
      if (found === undefined) return undefined;
      const { uid, namespace } = found.metadata;
      const free = pods.lister.byIndex("owner", "").filter((p) => p.metadata.namespace === namespace);
      return {
        set: asSet(found),
        pods: [...pods.lister.byIndex("owner", uid), ...free],
        isTaken: (name) => pods.lister.get(key(namespace, name)) !== undefined,
        deletions: deletions.get(uid) ?? 0,
      };
    },
    decide,
  };
}

export const replicaSetController = ({ replicaSets, pods }: Views): Controller<Observed> =>
  replicas("replicaset", { sets: replicaSets, pods }, (set) => set);

/** What was before sets picks its pods by labels alone. */
export const asSet = ({ spec, ...rest }: ReplicationController): ReplicaSet =>
  ({ ...rest, spec: { ...spec, selector: { matchLabels: spec.selector ?? {} } } }) as unknown as ReplicaSet;

export const replicationController = ({
  replicationControllers,
  pods,
}: Pick<Views, "pods"> & {
  readonly replicationControllers: Informer<ReplicationController>;
}): Controller<Observed> => replicas("replication", { sets: replicationControllers, pods }, asSet);
