// The binder of persistent volumes: one controller for claims, one for volumes.
import { pods } from "../../api/core/pods.ts";
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { classNameOf } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../api/generated/types.ts";
import { type Key, key, keyOf } from "../../api/meta.ts";
import { storageClasses } from "../../api/storage/storageclasses.ts";
import { type Change, controller, watch, type Views } from "../../machinery/controller.ts";
import { decideClaim } from "./claim.ts";
import { decideVolume } from "./volume.ts";

const isDefaultMark = "storageclass.kubernetes.io/is-default-class";

/** The newest of the classes marked as default; of equally new ones the first by name. */
export function defaultClassOf(classes: readonly StorageClass[]): string | undefined {
  const marked = classes.filter(({ metadata }) => metadata.annotations?.[isDefaultMark] === "true");
  const order = ({ metadata: a }: StorageClass, { metadata: b }: StorageClass): number =>
    b.creationTimestamp.localeCompare(a.creationTimestamp) || a.name.localeCompare(b.name);
  return marked.toSorted(order)[0]?.metadata.name;
}

const claimOf = ({ spec: { claimRef } }: PersistentVolume): readonly Key[] =>
  claimRef?.name === undefined ? [] : [key(claimRef.namespace, claimRef.name)];
/** Claims that wait for a volume are found by their class. */
const waiting = (claim: PersistentVolumeClaim): readonly string[] =>
  claim.spec.volumeName ? [] : [classNameOf(claim)];

/** The claims that a changed volume concerns: those bound to it, and those that it could be bound to. */
function claimsOfVolume(volume: PersistentVolume, { before, views }: Change<PersistentVolume>): readonly Key[] {
  const claims = views.of(persistentVolumeClaims);
  const referred = [...claimOf(volume), ...(before ? claimOf(before) : [])];
  const naming = claims.byIndex("volume", volume.metadata.name).map(keyOf);
  const isFree = volume.spec.claimRef === undefined && volume.status?.phase === "Available";
  const candidates = isFree ? claims.byIndex("waiting", classNameOf(volume)).map(keyOf) : [];
  return [...new Set([...referred, ...naming, ...candidates])];
}

/** A class concerns the claims that wait for it; a default class also those without a class. */
const claimsOfClass = ({ metadata }: StorageClass, { views }: Change<StorageClass>): readonly Key[] =>
  [metadata.name, ""].flatMap((name) => views.of(persistentVolumeClaims).byIndex("waiting", name).map(keyOf));

const claimKeysOf = (pod: Pod): readonly Key[] => claimNamesOf(pod).map((name) => key(pod.metadata.namespace, name));

/** Pods matter only for what a claim that waits reports. */
function waitingClaimsOfPod(pod: Pod, { type, before, views }: Change<Pod>): readonly Key[] {
  if (type === "updated" && before?.spec.nodeName === pod.spec.nodeName) return [];
  return claimKeysOf(pod).filter((k) => {
    const claim = views.of(persistentVolumeClaims).get(k);
    return claim !== undefined && !claim.spec.volumeName;
  });
}

function candidatesFor(views: Views, claim: PersistentVolumeClaim): readonly PersistentVolume[] {
  const volumes = views.of(persistentVolumes);
  const referring = volumes.byIndex("claim", keyOf(claim));
  return referring.length > 0 ? referring : volumes.byIndex("free", classNameOf(claim));
}

export const claimBinder = controller({
  ...{ name: "persistentvolume", account: "persistent-volume-binder" },
  reconciles: persistentVolumeClaims,
  indexes: {
    waiting,
    volume: ({ spec }: PersistentVolumeClaim) => (spec.volumeName ? [spec.volumeName] : []),
  },
  watches: [
    watch(persistentVolumes, claimsOfVolume, {
      claim: claimOf,
      free: (volume) => (volume.spec.claimRef ? [] : [classNameOf(volume)]),
    }),
    watch(storageClasses, claimsOfClass),
    watch(pods, waitingClaimsOfPod, { claim: claimKeysOf }),
  ],
  writes: [
    { kind: persistentVolumeClaims, verbs: ["update"] },
    { kind: persistentVolumeClaims, subresource: "status", verbs: ["update"] },
    { kind: persistentVolumes, verbs: ["update"] },
    { kind: persistentVolumes, subresource: "status", verbs: ["update"] },
  ],
  observe(views, k) {
    const claim = views.of(persistentVolumeClaims).get(k);
    if (claim === undefined) return undefined;
    const { volumeName } = claim.spec;
    const classes = views.of(storageClasses);
    return {
      claim,
      named: volumeName ? views.of(persistentVolumes).get(key(undefined, volumeName)) : undefined,
      candidates: volumeName ? [] : candidatesFor(views, claim),
      storageClass: classes.get(key(undefined, classNameOf(claim))),
      defaultClass: volumeName ? undefined : defaultClassOf(classes.all()),
      pods: volumeName ? [] : views.of(pods).byIndex("claim", k),
    };
  },
  decide: decideClaim,
});

export const volumeBinder = controller({
  ...{ name: "persistentvolume-reclaimer", account: "persistent-volume-binder" },
  reconciles: persistentVolumes,
  indexes: { claim: claimOf },
  watches: [
    watch(persistentVolumeClaims, (claim, { views }) => {
      const referring = views.of(persistentVolumes).byIndex("claim", keyOf(claim));
      return referring.map(keyOf);
    }),
  ],
  writes: [
    { kind: persistentVolumes, verbs: ["update"] },
    { kind: persistentVolumes, subresource: "status", verbs: ["update"] },
  ],
  observe(views, k) {
    const volume = views.of(persistentVolumes).get(k);
    if (volume === undefined) return undefined;
    const claims = views.of(persistentVolumeClaims);
    const [claimKey] = claimOf(volume);
    return { volume, claim: claimKey === undefined ? undefined : claims.get(claimKey), claimsAt: claims.revision };
  },
  decide: decideVolume,
});
