// The objects that plugins look at beside pods and nodes: a view for each kind that some plugin declares, and no more.
import type { ResourceDefinition } from "../api/kinds.ts";
import { keyOf, revision, type ApiObject } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { informer, type Informer } from "../machinery/informer.ts";
import type { Lister } from "../machinery/view.ts";
import type { World } from "../machinery/world.ts";
import { plainEvents } from "./cluster-events.ts";
import type { ClusterEvent, SchedulerPlugin, Snapshot } from "./framework.ts";

export interface PluginViews {
  readonly lister: Snapshot["lister"];
  /** Fills the views and keeps them up to date until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  caughtUp(signal: AbortSignal): Promise<void>;
}

/** `notify` receives every change of these objects. */
export function pluginViews(
  plugins: readonly SchedulerPlugin[],
  client: Client,
  world: World,
  notify: (change: () => readonly ClusterEvent[]) => void,
): PluginViews {
  const kinds = new Set<ResourceDefinition>(plugins.flatMap(({ reads = [] }) => reads));
  const views = new Map<ResourceDefinition, Informer<ApiObject>>();
  for (const kind of kinds) {
    const view = informer(client, kind, world);
    views.set(kind, view);
    view.onChange((object, before) => {
      const after = view.lister.get(keyOf(object));
      notify(() => plainEvents(kind.kind, { before, after }));
    });
  }
  const all = [...views.values()];
  return {
    lister<T extends ApiObject>(kind: ResourceDefinition<T>) {
      const view = views.get(kind);
      if (!view) throw new Error(`no plugin reads ${kind.plural}`);
      // The map forgets which definition goes with which type of object.
      return view.lister as Lister<T>;
    },
    run: async (signal) => void (await Promise.all(all.map((view) => view.run(signal)))),
    caughtUp: async (signal) => void (await Promise.all(all.map((view) => view.caughtUp(revision(0), signal)))),
  };
}
