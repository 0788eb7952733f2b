// Snapshots of volumes and their contents: what Kubernetes' snapshot controller does. Drivers are called beside them
// (controllers/csi).
import { nodes } from "../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { isReachableFrom } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { type Key, key, keyOf } from "../../api/meta.ts";
import { contentFinalizer, contentNameOf, defaultClass, snapshotOf } from "../../api/snapshot/binding.ts";
import {
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from "../../api/snapshot/volumesnapshots.ts";
import { controller, type Decision, settled, type Views, watch } from "../../machinery/controller.ts";
import { addFinalizers } from "../../machinery/metadata-patches.ts";
import { decideSnapshot } from "./snapshot.ts";

const named = (name: string | undefined): Key => key(undefined, name ?? "");
/** The claim that a snapshot is made of. */
const claimOf = ({ metadata, spec }: VolumeSnapshot): readonly Key[] => {
  const { persistentVolumeClaimName: name } = spec.source;
  return name === undefined ? [] : [key(metadata.namespace, name)];
};
const contentOf = (snapshot: VolumeSnapshot): string =>
  snapshot.status?.boundVolumeSnapshotContentName ??
  snapshot.spec.source.volumeSnapshotContentName ??
  contentNameOf(snapshot);
const classOf = ({ spec }: VolumeSnapshot): readonly string[] => [spec.volumeSnapshotClassName ?? ""];
/** The snapshot that a content is for. */
const snapshotOfContent = ({
  spec: {
    volumeSnapshotRef: { namespace, name },
  },
}: VolumeSnapshotContent): Key => key(namespace, name ?? "");
/** The claim of a volume. */
const claimOfVolume = ({ spec: { claimRef } }: PersistentVolume): readonly Key[] =>
  claimRef?.name === undefined ? [] : [key(claimRef.namespace, claimRef.name)];
const restores = (claim: PersistentVolumeClaim): readonly Key[] => {
  const name = snapshotOf(claim);
  return name !== undefined && claim.status?.phase === "Pending" ? [key(claim.metadata.namespace, name)] : [];
};

const snapshotsOf = (views: Views, claim: Key): readonly Key[] =>
  views.of(volumeSnapshots).byIndex("claim", claim).map(keyOf);

/** The node that a volume belongs to, if it cannot be reached from all. */
const nodeOf = (views: Views, volume: PersistentVolume | undefined): string | undefined =>
  volume?.spec.nodeAffinity &&
  views
    .of(nodes)
    .all()
    .find(({ metadata }) => isReachableFrom(volume, metadata.labels ?? {}))?.metadata.name;

export const snapshotController = controller({
  name: "snapshot",
  reconciles: volumeSnapshots,
  indexes: { claim: claimOf, content: (snapshot: VolumeSnapshot) => [contentOf(snapshot)], class: classOf },
  watches: [
    watch(volumeSnapshotContents, (content, { views }) => [
      snapshotOfContent(content),
      ...views.of(volumeSnapshots).byIndex("content", content.metadata.name).map(keyOf),
    ]),
    watch(volumeSnapshotClasses, ({ metadata }, { views }) =>
      [metadata.name, ""].flatMap((name) => views.of(volumeSnapshots).byIndex("class", name).map(keyOf)),
    ),
    watch(
      persistentVolumeClaims,
      (claim, { before, views }) => [
        ...snapshotsOf(views, keyOf(claim)),
        ...restores(claim),
        ...(before ? restores(before) : []),
      ],
      { restores },
    ),
    watch(persistentVolumes, (volume, { views }) =>
      claimOfVolume(volume).flatMap((claim) => snapshotsOf(views, claim)),
    ),
    watch(nodes),
  ],
  writes: [
    { kind: volumeSnapshots, verbs: ["patch", "update"] },
    { kind: volumeSnapshots, subresource: "status", verbs: ["update"] },
    { kind: volumeSnapshotContents, verbs: ["create", "delete", "patch", "update"] },
    { kind: persistentVolumeClaims, verbs: ["patch"] },
  ],
  observe(views, k) {
    const snapshot = views.of(volumeSnapshots).get(k);
    if (snapshot === undefined) return undefined;
    const classes = views.of(volumeSnapshotClasses);
    const [claimKey] = claimOf(snapshot);
    const claim = claimKey === undefined ? undefined : views.of(persistentVolumeClaims).get(claimKey);
    const volume = views.of(persistentVolumes).get(named(claim?.spec.volumeName));
    const content = views.of(volumeSnapshotContents).get(named(contentOf(snapshot)));
    return {
      ...{ snapshot, content, claim, volume },
      snapshotClass: classes.get(named(snapshot.spec.volumeSnapshotClassName)),
      defaultClasses: classes.all().filter(({ metadata }) => metadata.annotations?.[defaultClass] === "true"),
      node: content === undefined ? nodeOf(views, volume) : undefined,
      siblings:
        claimKey === undefined
          ? []
          : views
              .of(volumeSnapshots)
              .byIndex("claim", claimKey)
              .filter(({ metadata }) => metadata.name !== snapshot.metadata.name),
      restored: views.of(persistentVolumeClaims).byIndex("restores", k),
    };
  },
  decide: decideSnapshot,
});

/** A content that is bound stays until what it stands for is deleted, or is to be retained. */
export const decideContent = (content: VolumeSnapshotContent): Decision =>
  content.metadata.deletionTimestamp === undefined && content.spec.volumeSnapshotRef.uid
    ? { actions: addFinalizers(volumeSnapshotContents, content, [contentFinalizer]) }
    : settled;

export const snapshotContentController = controller({
  ...{ name: "snapshot-content", account: "snapshot-controller" },
  reconciles: volumeSnapshotContents,
  writes: [{ kind: volumeSnapshotContents, verbs: ["patch"] }],
  observe: (views, k) => views.of(volumeSnapshotContents).get(k),
  decide: decideContent,
});
