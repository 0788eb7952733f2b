// Which objects belong to which: indexes over the log, so that explaining one object does not look at all others.
import { events } from "../../api/core/events.ts";
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import { pods } from "../../api/core/pods.ts";
import { endpointSlices, serviceOf } from "../../api/discovery/endpointslices.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { jobs } from "../../api/batch/jobs.ts";
import type { CoreV1Event, EndpointSlice, Pod } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, controllerOf, type Key, key, keyOf, type ObjectMeta } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { byController } from "../../machinery/controller.ts";
import { type Informer, informer } from "../../machinery/informer.ts";
import { byLabels } from "../../machinery/selector-index.ts";
import type { Indexes } from "../../machinery/view.ts";
import type { World } from "../../machinery/world.ts";
import { isAsDesired } from "./causes/pod-state.ts";

/** Identity, labels and controller: what indexes read of the metadata. */
function keptMetadata(object: ApiObject): ObjectMeta {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = object.metadata;
  const controller = controllerOf(object);
  return {
    ...{ name, uid, resourceVersion, creationTimestamp },
    ...(namespace !== undefined && { namespace }),
    ...(labels && { labels }),
    ...(controller && { ownerReferences: [controller] }),
  };
}

/** What is kept of an object beside its metadata: the values of its indexes. */
interface Kept extends ApiObject {
  readonly values?: Readonly<Record<string, readonly string[]>>;
}

interface Relation<T extends ApiObject> {
  readonly kind: ResourceDefinition<T>;
  /** Computed once per object; the rest of it is not kept. */
  readonly valuesOf?: (object: T) => Readonly<Record<string, readonly string[]>>;
  readonly indexes?: Indexes<ApiObject>;
}
const relation = <T extends ApiObject>(r: Relation<T>): Relation<ApiObject> => r as unknown as Relation<ApiObject>;

/** The values of pods without a controller in the index `undesired`. */
export const everyNamespace = "/";
export const inNamespace = (namespace: string | undefined): string => `${namespace ?? ""}/`;
const controlledBy = (pod: Pod): readonly string[] => {
  const controller = controllerOf(pod);
  return controller ? [controller.uid] : [inNamespace(pod.metadata.namespace), everyNamespace];
};
const valuesOfPod = (pod: Pod): Readonly<Record<string, readonly string[]>> => {
  const { namespace } = pod.metadata;
  const { nodeName } = pod.spec;
  return {
    node: nodeName === undefined ? [] : [nodeName],
    claim: claimNamesOf(pod).map((name) => key(namespace, name)),
    undesired: isAsDesired(pod) ? [] : controlledBy(pod),
  };
};

const relations: readonly Relation<ApiObject>[] = [
  relation<Pod>({ kind: pods, valuesOf: valuesOfPod, indexes: { ...byController, ...byLabels } }),
  relation({ kind: replicaSets, indexes: byController }),
  relation({ kind: jobs, indexes: byController }),
  relation<CoreV1Event>({ kind: events, valuesOf: ({ involvedObject: { uid } }) => ({ about: uid ? [uid] : [] }) }),
  relation<EndpointSlice>({ kind: endpointSlices, valuesOf: (slice) => ({ service: [serviceOf(slice)] }) }),
];
const valueNames = ["node", "claim", "undesired", "about", "service"];
const byValues: Indexes<Kept> = Object.fromEntries(
  valueNames.map((name) => [name, ({ values }: Kept) => values?.[name] ?? []]),
);

/** Keys of objects by what relates them to others. */
export interface Relations {
  /**
   * Keys of a kind, by its definition, and an index: pods, replica sets and jobs by `controller` (its uid); pods by
   * `node`, `claim` (namespace/name), `labels` (namespace/name=value), and those that are not as desired by `undesired`
   * (the uid of their controller, or {@link inNamespace}); events by `about` (a uid); endpoint slices by `service`.
   */
  keys(r: object, index: string, value: string): readonly Key[];
  /** Follows the log until the signal aborts. An index that is behind only lacks the newest objects. */
  follow(client: Client, world: World, signal: AbortSignal): Promise<void>;
}

/** Relates nothing until it follows a log. */
export function objectRelations(): Relations {
  const followed = new Map<unknown, Informer<ApiObject>>();
  return {
    keys: (r, index, value) =>
      followed
        .get(r)
        ?.lister.byIndex(index, value)
        .map((o) => keyOf(o)) ?? [],
    async follow(client, world, signal) {
      const running = relations.map(({ kind, valuesOf, indexes }) => {
        const keep = (object: ApiObject): Kept => ({
          ...{ apiVersion: object.apiVersion, kind: object.kind, metadata: keptMetadata(object) },
          ...(valuesOf && { values: valuesOf(object) }),
        });
        const view = informer(client, kind, world, {
          keep,
          indexes: { ...indexes, ...(byValues as Indexes<ApiObject>) },
        });
        followed.set(kind, view);
        return view.run(signal);
      });
      await Promise.all(running);
    },
  };
}
