// Local views of kinds, kept up to date by watches. An informer lists, then follows, and lists again when history
// expired; the components of a process share one per kind.
import { hasReason } from "../api/errors.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import { revision, type ApiObject, type Revision } from "../api/meta.ts";
import { onAbort } from "./abort.ts";
import type { Client, Selection } from "./client.ts";
import { backoff } from "./workqueue.ts";
import { type Changed, type ChangeType, type Indexes, type Lister, view } from "./view.ts";
import type { World } from "./world.ts";

export interface Informer<T extends ApiObject> {
  readonly resource: ResourceDefinition<T>;
  readonly lister: Lister<T>;
  /** Calls `handler` for every changed or deleted object, after the view is updated. */
  onChange(handler: (object: T, before: T | undefined, type: ChangeType) => void): void;
  /** Adds indexes to the view. A name that exists already keeps its function. */
  addIndexes(indexes: Indexes<T>): void;
  /** Resolves once the view has reached `target`. */
  caughtUp(target: Revision, signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}
/** Before the first list: even revision 0 is ahead of this. */
const unseen = revision(-1);

interface InformerOptions<T> {
  readonly selection?: Selection;
  readonly indexes?: Indexes<T>;
  /** What of an object the view keeps; all of it unless given. For views of which only metadata is read. */
  readonly keep?: (object: T) => T;
}

/** Waiters for the view to reach a revision. */
function milestones(): { wait(target: Revision, signal: AbortSignal): Promise<void>; reached(at: Revision): void } {
  const waiters = new Set<{ readonly target: Revision; readonly resolve: () => void }>();
  return {
    wait(target, signal) {
      return new Promise((resolve, reject) => {
        const off = onAbort(signal, () => {
          waiters.delete(waiter);
          reject(signal.reason as Error);
        });
        const waiter = {
          target,
          resolve() {
            off();
            resolve();
          },
        };
        if (!signal.aborted) waiters.add(waiter);
      });
    },
    reached(at) {
      for (const waiter of waiters) {
        if (waiter.target > at) continue;
        waiters.delete(waiter);
        waiter.resolve();
      }
    },
  };
}

/** A view of one kind, to be made once per process and kind and shared. Nothing is requested before `run`. */
export function informer<T extends ApiObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  world: World,
  { selection = {}, indexes = {}, keep = (object) => object }: InformerOptions<T> = {},
): Informer<T> {
  const objects = view(indexes);
  let seen = unseen;
  let listed = false;
  const handlers: ((...changed: Changed<T>) => void)[] = [];
  const arrivals = milestones();

  const advance = (to: Revision): void => {
    if (to > seen) seen = to;
    arrivals.reached(seen);
  };
  const announce = (...changed: Changed<T>): void => {
    for (const handler of handlers) handler(...changed);
  };
  const listAll = async (): Promise<void> => {
    let page = await client.list(resource, { ...selection, limit: 500 });
    const items = page.items.map(keep);
    while (page.next !== undefined) {
      page = await client.list(resource, { ...selection, limit: 500, continue: page.next });
      for (const item of page.items) items.push(keep(item));
    }
    // The view is replaced in one step, so readers never see a partial list.
    const changed = objects.replace(items);
    seen = page.revision;
    listed = true;
    advance(page.revision);
    for (const one of changed) announce(...one);
  };
  const follow = async (signal: AbortSignal, progressed: () => void): Promise<void> => {
    for await (const event of client.watch(resource, { ...selection, from: seen }, signal)) {
      progressed();
      if (event.type === "progress") {
        advance(event.revision);
        continue;
      }
      const object = keep(event.object);
      const isDeleted = event.type === "deleted";
      const before = isDeleted ? objects.remove(object) : objects.set(object);
      advance(event.revision);
      announce(object, before, isDeleted ? "deleted" : before ? "updated" : "added");
    }
  };

  return {
    resource,
    lister: {
      get: objects.get,
      all: objects.all,
      byIndex: objects.byIndex,
      countByIndex: objects.countByIndex,
      get revision() {
        return seen;
      },
    },
    onChange: (handler) => void handlers.push(handler),
    addIndexes: objects.addIndexes,
    caughtUp: (target, signal) => (seen >= target ? Promise.resolve() : arrivals.wait(target, signal)),
    async run(signal) {
      let failures = 0;
      while (!signal.aborted) {
        try {
          if (!listed) await listAll();
          await follow(signal, () => {
            failures = 0;
          });
        } catch (e) {
          if (signal.aborted) return;
          if (hasReason(e, "Expired", "Gone")) listed = false;
          else world.log("watch ended", { resource: resource.plural, error: (e as Error).message });
        }
        // Also after a clean end: a server that closes watches immediately is not requested again immediately.
        await world.clock.sleep(backoff(++failures, 50, 2_000), signal).catch(() => {});
      }
    },
  };
}

/** A factory of shared informers. */
export interface SharedViews {
  /** The informer of a kind, which has these indexes from then on. */
  of<T extends ApiObject>(resource: ResourceDefinition<T>, indexes?: Indexes<T>): Informer<T>;
  /**
   * An informer that keeps at least the metadata of the kind's objects: the full one where {@link of} made it before,
   * else one that keeps nothing more.
   */
  metadataOf(resource: ResourceDefinition, indexes?: Indexes<ApiObject>): Informer<ApiObject>;
  /** Stops and removes the informers of a kind that is no longer served. */
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
