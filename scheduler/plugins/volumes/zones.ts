// A bound volume with labels of a zone or a region is used from there.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { waitsForConsumer } from "../../../api/core/volume-matching.ts";
import type { PersistentVolume, StorageClass } from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import { key } from "../../../api/meta.ts";
import type { Labels } from "../../../api/selector.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { type Change, type SchedulerPlugin, skip, unresolvable } from "../../framework.ts";
import { nodeLabels, claimKeysOf, ownClaims } from "./claims.ts";

/** Labels of places, old and new, each with the one that nodes have today. */
const placeLabels = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region": "topology.kubernetes.io/region",
} as const;

/** A node must have one of these values. */
interface Place {
  readonly label: keyof typeof placeLabels;
  readonly values: readonly string[];
}
const labels = Object.keys(placeLabels) as readonly Place["label"][];

/** A label may list several places, separated by two underscores. */
const placesOf = ({ metadata }: PersistentVolume): readonly Place[] =>
  labels.flatMap((label) => {
    const value = metadata.labels?.[label];
    return value === undefined ? [] : [{ label, values: value.split("__").map((part) => part.trim()) }];
  });

const isIn = ({ label, values }: Place, of: Labels): boolean =>
  values.includes(of[label] ?? of[placeLabels[label]] ?? "");

const elsewhere = unresolvable("node(s) had no available volume zone");

export const volumeZone: SchedulerPlugin<readonly Place[]> = {
  name: "VolumeZone",
  reads: [persistentVolumeClaims, persistentVolumes, storageClasses],
  events: [
    nodeLabels,
    ownClaims,
    {
      resource: "StorageClass",
      actions: ["Add"],
      isSchedulableAfter: (_, { after }: Change<StorageClass>) => waitsForConsumer(after),
    },
    {
      resource: "PersistentVolume",
      actions: ["Add", "Update"],
      isSchedulableAfter: (_, { before, after }: Change<PersistentVolume>) =>
        before === undefined || (after !== undefined && !sameJson(placesOf(before), placesOf(after))),
    },
  ],
  preFilter(info, { lister }) {
    if (info.claimNames.length === 0) return skip;
    const places: Place[] = [];
    for (const claimKey of claimKeysOf(info)) {
      const name = lister(persistentVolumeClaims).get(claimKey)?.spec.volumeName;
      if (!name) continue;
      const volume = lister(persistentVolumes).get(key(undefined, name));
      if (!volume) return unresolvable(`persistentvolume "${name}" not found`);
      places.push(...placesOf(volume));
    }
    return places.length === 0 ? skip : { state: places };
  },
  // In a cluster of one zone, nodes may have no such labels.
  filter: (places, node) =>
    labels.every((label) => node.labels[label] === undefined) || places.every((place) => isIn(place, node.labels))
      ? undefined
      : elsewhere,
};
