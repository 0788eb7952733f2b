// Watches exactly the objects that pods of this node refer to: one shared watch each, which ends with the last pod that
// refers to the object.
import type { ResourceDefinition } from "../api/kinds.ts";
import { configMaps } from "../api/core/configmaps.ts";
import { persistentVolumeClaims } from "../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../api/core/persistentvolumes.ts";
import { secrets } from "../api/core/secrets.ts";
import { type ApiObject, key, revision } from "../api/meta.ts";
import { volumeAttachments } from "../api/storage/csi.ts";
import type { Client } from "../machinery/client.ts";
import { type Informer, informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { type Reference, Unmet, type VolumeLookup } from "./podspec/references.ts";

interface View {
  readonly informer: Informer<ApiObject>;
  readonly stop: AbortController;
  readonly holders: Set<string>;
  isListed: boolean;
}

export interface ReferencedObjects {
  /** Sets the references of a pod; `changed` is called with its uid when one of the objects changes. */
  hold(podUid: string, namespace: string, references: readonly Reference[]): void;
  /** Resolves once all objects of the pod were listed; rejects with `Unmet` after ten seconds. */
  ready(podUid: string, signal: AbortSignal): Promise<void>;
  lookup(namespace: string): VolumeLookup;
  release(podUid: string): void;
}

const longestWaitMs = 10_000;

const resources = {
  ConfigMap: configMaps,
  Secret: secrets,
  PersistentVolumeClaim: persistentVolumeClaims,
  PersistentVolume: persistentVolumes,
  VolumeAttachment: volumeAttachments,
};
type Kind = Reference["kind"];
type ObjectOf<K extends Kind> = (typeof resources)[K] extends ResourceDefinition<infer T> ? T : never;
/** Cluster-scoped objects have no namespace. */
const keyFor = (namespace: string, kind: Kind, name: string) =>
  key(resources[kind].scope === "Cluster" ? undefined : namespace, name);

/** All watches end with `signal`. */
export function referencedObjects(
  client: Client,
  world: World,
  changed: (podUid: string) => void,
  signal: AbortSignal,
): ReferencedObjects {
  const views = new Map<string, View>();
  /** The pods in `ready`. */
  const waiting = new Set<string>();
  const idOf = (namespace: string, { kind, name }: Reference): string => `${kind}/${keyFor(namespace, kind, name)}`;

  const open = (namespace: string, r: Reference): View => {
    const resource = resources[r.kind] as ResourceDefinition<ApiObject>;
    const fieldSelector = `metadata.name=${r.name}`;
    const selection = resource.scope === "Cluster" ? { fieldSelector } : { namespace, fieldSelector };
    const own = informer(client, resource, world, { selection });
    const view: View = { informer: own, stop: new AbortController(), holders: new Set(), isListed: false };
    const until = AbortSignal.any([signal, view.stop.signal]);
    own.onChange(() => {
      // A pod that waits for the first list reads it then: nothing that it has read has changed.
      for (const uid of view.holders) if (view.isListed || !waiting.has(uid)) changed(uid);
    });
    const listed = (): void => {
      view.isListed = true;
    };
    own.caughtUp(revision(0), until).then(listed, listed);
    void own.run(until);
    return view;
  };
  const drop = (podUid: string, keep: ReadonlySet<string>): void => {
    for (const [id, view] of views)
      if (!keep.has(id) && view.holders.delete(podUid) && view.holders.size === 0) {
        view.stop.abort();
        views.delete(id);
      }
  };
  const found = <K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined =>
    views.get(idOf(namespace, { kind, name }))?.informer.lister.get(keyFor(namespace, kind, name)) as
      | ObjectOf<K>
      | undefined;

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
      waiting.add(podUid);
      await Promise.race([seen, late]).finally(() => waiting.delete(podUid));
    },
    lookup: (namespace) => ({
      configMap: (name) => found("ConfigMap", namespace, name),
      secret: (name) => found("Secret", namespace, name),
      claim: (name) => found("PersistentVolumeClaim", namespace, name),
      persistentVolume: (name) => found("PersistentVolume", namespace, name),
      attachment: (name) => found("VolumeAttachment", namespace, name),
    }),
    release: (podUid) => drop(podUid, new Set()),
  };
}
