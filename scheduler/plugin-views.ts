// The views that plugins read: of the kinds they declare, and of pods and nodes. Decisions read them, and bindings wait
// for changes of single objects.
import type { ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, type Key, keyOf, revision } from "../api/meta.ts";
import { wakeable } from "../machinery/abort.ts";
import type { Client } from "../machinery/client.ts";
import { informer, type Informer } from "../machinery/informer.ts";
import type { Lister } from "../machinery/view.ts";
import type { World } from "../machinery/world.ts";
import { byNamespace, type Change, type PluginViews, type SchedulerPlugin } from "./framework.ts";

export interface RunningViews extends PluginViews {
  /** Fills the views and keeps them up to date until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  caughtUp(signal: AbortSignal): Promise<void>;
}

/** Callbacks for the next change of an object. */
interface Waiters {
  notify(resource: ResourceDefinition, key: Key): void;
  readonly changed: PluginViews["changed"];
}
function changeWaiters(): Waiters {
  const waiting = new Map<ResourceDefinition, Map<Key, Set<() => void>>>();
  const of = (resource: ResourceDefinition, key: Key): Set<() => void> => {
    const byKey = waiting.get(resource) ?? new Map<Key, Set<() => void>>();
    waiting.set(resource, byKey);
    const set = byKey.get(key) ?? new Set();
    byKey.set(key, set);
    return set;
  };
  const drop = (resource: ResourceDefinition, key: Key, wake: () => void): void => {
    const byKey = waiting.get(resource);
    const set = byKey?.get(key);
    if (set?.delete(wake) && set.size === 0) byKey?.delete(key);
  };
  return {
    notify(resource, key) {
      for (const wake of [...(waiting.get(resource)?.get(key) ?? [])]) wake();
    },
    async changed(objects, signal) {
      const { slept, wake } = wakeable(signal);
      for (const [resource, key] of objects) of(resource, key).add(wake);
      await slept;
      for (const [resource, key] of objects) drop(resource, key, wake);
    },
  };
}

/** `views` are filled by their owner. `changed` receives every change of the other kinds. */
export function pluginViews(
  plugins: readonly SchedulerPlugin[],
  views: readonly Informer<ApiObject>[],
  client: Client,
  world: World,
  changed: (kind: ResourceDefinition, change: Change<ApiObject>) => void,
): RunningViews {
  const waiters = changeWaiters();
  const all = new Map(views.map((view) => [view.resource, view]));
  const own = [...new Set(plugins.flatMap(({ reads = [] }) => reads))]
    .filter((kind) => !all.has(kind))
    .map((kind) => informer(client, kind, world, { indexes: byNamespace }));
  for (const view of own) {
    all.set(view.resource, view);
    view.onChange((object, before) => changed(view.resource, { before, after: view.lister.get(keyOf(object)) }));
  }
  for (const view of all.values()) view.onChange((object) => waiters.notify(view.resource, keyOf(object)));
  return {
    lister<T extends ApiObject>(kind: ResourceDefinition<T>) {
      const view = all.get(kind);
      if (!view) throw new Error(`no plugin reads ${kind.plural}`);
      // The map does not preserve the pairing of definitions and object types.
      return view.lister as Lister<T>;
    },
    changed: waiters.changed,
    run: async (signal) => void (await Promise.all(own.map((view) => view.run(signal)))),
    caughtUp: async (signal) => void (await Promise.all(own.map((view) => view.caughtUp(revision(0), signal)))),
  };
}
