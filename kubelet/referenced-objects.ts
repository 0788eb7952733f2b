// Follows exactly the objects that pods of this node refer to: each once for all of them, until the last has gone.
// A kubelet may watch single Secrets and ConfigMaps; the others it may only read.
import type { ResourceDefinition } from "../api/kinds.ts";
import { configMaps } from "../api/core/configmaps.ts";
import { persistentVolumeClaims } from "../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../api/core/persistentvolumes.ts";
import { secrets } from "../api/core/secrets.ts";
import type { PersistentVolumeClaim, VolumeAttachment } from "../api/generated/types.ts";
import { type ApiObject, key, type Key, revision, splitKey } from "../api/meta.ts";
import { volumeAttachments } from "../api/storage/csi.ts";
import { orAborted } from "../machinery/abort.ts";
import type { Client } from "../machinery/client.ts";
import { informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { type Polling, polledObject } from "./polled-object.ts";
import { type Reference, Unmet, type VolumeLookup } from "./podspec/references.ts";

/** What is known of one object. */
interface Source {
  current(): ApiObject | undefined;
  /** Resolves when it is known as it is now, as far as the API server is reached. */
  fresh(): Promise<void>;
}
interface View extends Source {
  readonly stop: AbortController;
  readonly holders: Set<string>;
  isRead: boolean;
}

export interface ReferencedObjects {
  /** Sets the references of a pod; `changed` is called with its uid when one of the objects changes. */
  hold(podUid: string, namespace: string, references: readonly Reference[]): void;
  /** Resolves once all objects of the pod were read; rejects with `Unmet` after ten seconds. */
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

/** The interval at which the claims of running pods are read: their volumes may have been grown. */
export const usualClaimPollMs = 30_000;
/** A volume of a claim and its attachment change no more, or with the claim. */
const volumePollMs = 600_000;
/** The kinds that are read again and again, because they may not be watched. */
const pollings = (claimPollMs: number): Readonly<Partial<Record<Kind, Polling>>> => ({
  PersistentVolumeClaim: {
    isSettled: (o) => (o as PersistentVolumeClaim).status?.phase === "Bound",
    settledMs: claimPollMs,
  },
  PersistentVolume: { isSettled: () => true, settledMs: volumePollMs },
  VolumeAttachment: {
    isSettled: (o) => (o as VolumeAttachment).status?.attached === true && o.metadata.deletionTimestamp === undefined,
    settledMs: volumePollMs,
  },
});
type ObjectOf<K extends Kind> = (typeof resources)[K] extends ResourceDefinition<infer T> ? T : never;
/** Cluster-scoped objects have no namespace. */
const keyFor = (namespace: string, kind: Kind, name: string) =>
  key(resources[kind].scope === "Cluster" ? undefined : namespace, name);

/** All watches end with `signal`. */
export function referencedObjects(
  { client, world }: { readonly client: Client; readonly world: World },
  claimPollMs: number,
  changed: (podUid: string) => void,
  signal: AbortSignal,
): ReferencedObjects {
  const polled = pollings(claimPollMs);
  const views = new Map<string, View>();
  /** The pods in `ready`. */
  const waiting = new Set<string>();
  const idOf = (namespace: string, { kind, name }: Reference): string => `${kind}/${keyFor(namespace, kind, name)}`;

  /** A watch of one object. */
  const watched = (r: ResourceDefinition, at: Key, onChange: () => void, until: AbortSignal): Source => {
    const { namespace, name } = splitKey(at);
    const selection = { ...(namespace !== undefined && { namespace }), fieldSelector: `metadata.name=${name}` };
    const own = informer(client, r, world, { selection });
    own.onChange(onChange);
    void own.run(until);
    return { current: () => own.lister.get(at), fresh: () => own.caughtUp(revision(0), until) };
  };

  const open = (namespace: string, { kind, name }: Reference): View => {
    const r = resources[kind] as ResourceDefinition<ApiObject>;
    const at = keyFor(namespace, kind, name);
    const stop = new AbortController();
    const until = AbortSignal.any([signal, stop.signal]);
    const onChange = (): void => {
      // A pod that waits for the first read reads it then: nothing that it has read has changed.
      for (const uid of view.holders) if (view.isRead || !waiting.has(uid)) changed(uid);
    };
    const polling = polled[kind];
    const source = polling
      ? polledObject({ client, world }, [r, at], polling, onChange, until)
      : watched(r, at, onChange, until);
    const view: View = { ...source, stop, holders: new Set(), isRead: false };
    const read = (): void => {
      view.isRead = true;
    };
    source.fresh().then(read, read);
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
    views.get(idOf(namespace, { kind, name }))?.current() as ObjectOf<K> | undefined;

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
      const mine = [...views.values()].filter((v) => v.holders.has(podUid));
      if (mine.length === 0) return;
      const seen = Promise.all(mine.map((v) => orAborted(v.fresh(), until)));
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
