// Watches exactly the ConfigMaps and Secrets that pods of this node refer to: one shared watch each, which ends with
// the last pod that refers to the object.
import type { ConfigMap, Secret } from "../api/generated/types.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import { configMaps } from "../api/core/configmaps.ts";
import { secrets } from "../api/core/secrets.ts";
import { key, revision } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { type Informer, informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { type Lookup, type Reference, Unmet } from "./podspec/references.ts";

interface View {
  readonly informer: Informer<ConfigMap> | Informer<Secret>;
  readonly stop: AbortController;
  readonly holders: Set<string>;
}

export interface ReferencedObjects {
  /** Sets the references of a pod; `changed` is called with its uid when one of the objects changes. */
  hold(podUid: string, namespace: string, references: readonly Reference[]): void;
  /** Resolves once all objects of the pod were listed; rejects with `Unmet` after ten seconds. */
  ready(podUid: string, signal: AbortSignal): Promise<void>;
  lookup(namespace: string): Lookup;
  release(podUid: string): void;
}

const longestWaitMs = 10_000;

/** All watches end with `signal`. */
export function referencedObjects(
  client: Client,
  world: World,
  changed: (podUid: string) => void,
  signal: AbortSignal,
): ReferencedObjects {
  const views = new Map<string, View>();
  const idOf = (namespace: string, r: Reference): string => `${r.kind}/${namespace}/${r.name}`;

  const open = (namespace: string, r: Reference): View => {
    const resource: ResourceDefinition<ConfigMap | Secret> = (r.kind === "Secret" ? secrets : configMaps) as never;
    const selection = { namespace, fieldSelector: `metadata.name=${r.name}` };
    const own = informer(client, resource, world, { selection });
    const view: View = { informer: own as View["informer"], stop: new AbortController(), holders: new Set() };
    own.onChange(() => {
      for (const uid of view.holders) changed(uid);
    });
    void own.run(AbortSignal.any([signal, view.stop.signal]));
    return view;
  };
  const drop = (podUid: string, keep: ReadonlySet<string>): void => {
    for (const [id, view] of views)
      if (!keep.has(id) && view.holders.delete(podUid) && view.holders.size === 0) {
        view.stop.abort();
        views.delete(id);
      }
  };
  const found = <T>(kind: Reference["kind"], namespace: string, name: string): T | undefined =>
    views.get(idOf(namespace, { kind, name }))?.informer.lister.get(key(namespace, name)) as T | undefined;

  return {
    hold(podUid, namespace, references) {
      drop(podUid, new Set(references.map((r) => idOf(namespace, r))));
      for (const r of references) {
        const id = idOf(namespace, r);
        const view = views.get(id) ?? open(namespace, r);
        views.set(id, view);
        view.holders.add(podUid);
      }
    },
    async ready(podUid, until) {
      const mine = [...views.values()].filter((v) => v.holders.has(podUid) && v.informer.lister.revision < 0);
      if (mine.length === 0) return;
      const seen = Promise.all(mine.map((v) => v.informer.caughtUp(revision(0), until)));
      const late = world.clock.sleep(longestWaitMs, until).then(() => {
        throw new Unmet("failed to sync configmap cache: timed out waiting for the condition");
      });
      // The promise that loses the race must not be an unhandled rejection.
      late.catch(() => {});
      await Promise.race([seen, late]);
    },
    lookup: (namespace) => ({
      configMap: (name) => found<ConfigMap>("ConfigMap", namespace, name),
      secret: (name) => found<Secret>("Secret", namespace, name),
    }),
    release: (podUid) => drop(podUid, new Set()),
  };
}
