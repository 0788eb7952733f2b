// Views of exactly those ConfigMaps and Secrets that pods on this node speak of: one small watch each, shared, ended
// with the last pod that needs it.
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
  /** Says that a pod needs these, and no others; `changed` is called with the pod's uid when one of them changes. */
  hold(podUid: string, namespace: string, references: readonly Reference[]): void;
  /** Resolves once everything the pod holds has been seen; throws `Unmet` when that takes too long. */
  ready(podUid: string, signal: AbortSignal): Promise<void>;
  lookup(namespace: string): Lookup;
  release(podUid: string): void;
}

const longestWaitMs = 10_000;

/** All views end with `signal`. */
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
      // Whichever of the two loses must not be an unhandled rejection.
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
