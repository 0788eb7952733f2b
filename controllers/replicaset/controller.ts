// ReplicaSet and ReplicationController: keeps the number of pods each wants. One decision serves both.
import { pods } from "../../api/core/pods.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import type { ReplicaSet, ReplicationController } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import { type Controller, controller } from "../../machinery/controller.ts";
import { decide, type Observed } from "./decide.ts";

/** A controller for objects of a kind that can be read as replica sets. */
const replicas = <T extends ApiObject>(
  name: string,
  kind: ResourceDefinition<T>,
  asSet: (object: T) => ReplicaSet,
): Controller<Observed> =>
  controller({
    name,
    reconciles: kind,
    owns: [pods],
    selectorOf: (object) => asSet(object).spec.selector,
    writes: [{ kind, subresource: "status", verbs: ["update"] }],
    observe(views, k) {
      const object = views.of(kind).get(k);
      if (object === undefined) return undefined;
      const set = asSet(object);
      return {
        set,
        pods: views.childrenOf(pods, set, set.spec.selector),
        isTaken: (name) => views.of(pods).get(key(set.metadata.namespace, name)) !== undefined,
        deletions: views.deletionsOf(set),
      };
    },
    decide,
  });

/** A ReplicationController selects by labels alone. */
export const asSet = ({ spec, ...rest }: ReplicationController): ReplicaSet =>
  ({ ...rest, spec: { ...spec, selector: { matchLabels: spec.selector ?? {} } } }) as unknown as ReplicaSet;

export const replicaSetController = replicas("replicaset", replicaSets, (set) => set);
export const replicationController = replicas("replication", replicationControllers, asSet);
