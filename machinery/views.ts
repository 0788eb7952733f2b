// The views of one process: one informer per kind, made and started when the first component asks for it.
import type { ResourceDefinition } from "../api/kinds.ts";
import type { ApiObject } from "../api/meta.ts";
import { onAbort } from "./abort.ts";
import type { Client } from "./client.ts";
import { type Informer, informer } from "./informer.ts";
import type { Indexes } from "./view.ts";
import type { World } from "./world.ts";

/** A factory of shared informers. */
export interface SharedViews {
  /** The informer of a kind, which has these indexes from then on. */
  of<T extends ApiObject>(resource: ResourceDefinition<T>, indexes?: Indexes<T>): Informer<T>;
  /**
   * An informer that keeps at least the metadata of the kind's objects: the full one where {@link of} made it before,
   * else one that keeps nothing more.
   */
  metadataOf(resource: ResourceDefinition, indexes?: Indexes<ApiObject>): Informer<ApiObject>;
  /** Stops and forgets the informers of a kind that is no longer served. */
  drop(resource: ResourceDefinition): void;
  /** Runs every informer, those made later included, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Identity and ownership: what remains of an object in a view of metadata. */
function metadataOnly({ apiVersion, kind, metadata }: ApiObject): ApiObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const { ownerReferences, finalizers, deletionTimestamp } = metadata;
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp };
  return { apiVersion, kind, metadata: { ...kept, ownerReferences, finalizers, deletionTimestamp } };
}

interface Started {
  readonly informer: Informer<ApiObject>;
  readonly stop: AbortController;
  run?: Promise<void>;
}

/** Views through one client. Informers made before `run` start with it, so that no handler misses the first list. */
export function sharedViews(client: Client, world: World): SharedViews {
  const full = new Map<ResourceDefinition, Started>();
  const metadata = new Map<ResourceDefinition, Started>();
  let running: AbortSignal | undefined;
  const start = (view: Started): void => {
    if (!running || view.run) return;
    const off = onAbort(running, () => view.stop.abort(running?.reason));
    view.run = view.informer.run(view.stop.signal).finally(off);
  };
  const made = (all: Map<ResourceDefinition, Started>, r: ResourceDefinition, keep?: typeof metadataOnly): Started => {
    const known = all.get(r);
    if (known) return known;
    const view = { informer: informer(client, r, world, keep && { keep }), stop: new AbortController() };
    all.set(r, view);
    // After the caller has added its handlers and indexes.
    queueMicrotask(() => start(view));
    return view;
  };
  return {
    of<T extends ApiObject>(r: ResourceDefinition<T>, indexes: Indexes<T> = {}) {
      const found = made(full, r as unknown as ResourceDefinition).informer as unknown as Informer<T>;
      found.addIndexes(indexes);
      return found;
    },
    metadataOf(r, indexes = {}) {
      const found = (full.get(r) ?? made(metadata, r, metadataOnly)).informer;
      found.addIndexes(indexes);
      return found;
    },
    drop(r) {
      for (const all of [full, metadata]) {
        all.get(r)?.stop.abort(new Error("the kind is no longer served"));
        all.delete(r);
      }
    },
    async run(signal) {
      running = signal;
      for (const all of [full, metadata]) for (const view of all.values()) start(view);
      await new Promise<void>((resolve) => onAbort(signal, resolve));
      await Promise.all([full, metadata].flatMap((all) => [...all.values()].map((view) => view.run)));
    },
  };
}
