// The controllers that run beside a CSI driver and call it: what Kubernetes' external-provisioner, external-resizer,
// external-attacher and external-snapshotter do.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { classNameOf } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, VolumeAttachment } from "../../api/generated/types.ts";
import { type Key, key, keyOf } from "../../api/meta.ts";
import {
  type VolumeSnapshotContent,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from "../../api/snapshot/volumesnapshots.ts";
import { csiNodes, csiStorageCapacities, volumeAttachments } from "../../api/storage/csi.ts";
import { storageClasses, volumeAttributesClasses } from "../../api/storage/storageclasses.ts";
import type { Client } from "../../machinery/client.ts";
import { type Controller, controller, type Views, watch } from "../../machinery/controller.ts";
import { sharedViews } from "../../machinery/informer.ts";
import { runController } from "../../machinery/reconcile.ts";
import type { World } from "../../machinery/world.ts";
import { decideAttachment } from "./attach.ts";
import { capacityName, capacityNamespace, decideCapacity } from "./capacity.ts";
import { decideCloning } from "./clone-protection.ts";
import { decideExpansion } from "./expand.ts";
import { decideModification } from "./modify.ts";
import { volumeNameOf } from "./new-volume.ts";
import { decideOrder } from "./provision.ts";
import { decideReclaim, isServed } from "./reclaim.ts";
import { decideContentSnapshot } from "./snapshot.ts";
import { type ObservedSource, sourceOf } from "./source.ts";
import type { DriverNode, DriverOptions } from "./sidecar.ts";

const claimOf = ({ spec: { claimRef } }: PersistentVolume): readonly Key[] =>
  claimRef?.name === undefined ? [] : [key(claimRef.namespace, claimRef.name)];
const clusterKey = (name: string | undefined): Key => key(undefined, name ?? "");
const volumeOf = ({ spec: { source } }: VolumeAttachment): readonly Key[] =>
  source.persistentVolumeName === undefined ? [] : [clusterKey(source.persistentVolumeName)];

/** The classes of attributes that a claim names. */
const attributesOf = ({ spec, status }: PersistentVolumeClaim): readonly string[] =>
  [spec.volumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName].flatMap(
    (name) => name ?? [],
  );
/** The object that a claim is to be a copy of. */
const sourceKey = (claim: PersistentVolumeClaim): readonly string[] => {
  const { type, name } = sourceOf(claim) ?? {};
  return type === undefined || claim.spec.volumeName ? [] : [`${type} ${key(claim.metadata.namespace, name!)}`];
};
/** Claims that wait to become copies of an object. */
const copiesOf = (views: Views, type: "claim" | "snapshot", source: Key): readonly PersistentVolumeClaim[] =>
  views.of(persistentVolumeClaims).byIndex("source", `${type} ${source}`);

function observeSource(views: Views, claim: PersistentVolumeClaim): ObservedSource {
  const { type, name } = sourceOf(claim) ?? {};
  if (type === undefined || type === "populated") return {};
  const k = key(claim.metadata.namespace, name!);
  if (type === "claim") {
    const source = views.of(persistentVolumeClaims).get(k);
    return { claim: source, volume: views.of(persistentVolumes).get(clusterKey(source?.spec.volumeName)) };
  }
  const snapshot = views.of(volumeSnapshots).get(k);
  const content = views.of(volumeSnapshotContents).get(clusterKey(snapshot?.status?.boundVolumeSnapshotContentName));
  return { snapshot, content };
}

const provisioner = (options: DriverOptions): Controller =>
  controller({
    name: `csi-provisioner-${options.driver}`,
    reconciles: persistentVolumeClaims,
    indexes: {
      class: (claim: PersistentVolumeClaim) => (claim.spec.volumeName ? [] : [classNameOf(claim)]),
      source: sourceKey,
      attributes: attributesOf,
    },
    keysOf: (claim, { views }) => [keyOf(claim), ...copiesOf(views, "claim", keyOf(claim)).map(keyOf)],
    watches: [
      watch(persistentVolumes, claimOf),
      watch(storageClasses, ({ metadata }, { views }) =>
        views
          .of(persistentVolumeClaims)
          .byIndex("class", metadata.name)
          .map((claim) => key(claim.metadata.namespace, claim.metadata.name)),
      ),
      watch(volumeAttributesClasses, ({ metadata }, { views }) =>
        views.of(persistentVolumeClaims).byIndex("attributes", metadata.name).map(keyOf),
      ),
      watch(volumeSnapshots, (snapshot, { views }) => copiesOf(views, "snapshot", keyOf(snapshot)).map(keyOf)),
      watch(
        volumeSnapshotContents,
        (
          {
            spec: {
              volumeSnapshotRef: { namespace, name },
            },
          },
          { views },
        ) => copiesOf(views, "snapshot", key(namespace, name ?? "")).map(keyOf),
      ),
    ],
    observe(views, k) {
      const claims = views.of(persistentVolumeClaims);
      const volumes = views.of(persistentVolumes);
      const claim = claims.get(k);
      if (claim === undefined) return undefined;
      return {
        claim,
        storageClass: views.of(storageClasses).get(clusterKey(classNameOf(claim))),
        volume: volumes.get(clusterKey(volumeNameOf(claim))),
        source: observeSource(views, claim),
        attributes: views.of(volumeAttributesClasses).get(clusterKey(claim.spec.volumeAttributesClassName)),
      };
    },
    writes: [
      { kind: persistentVolumeClaims, verbs: ["patch"] },
      { kind: persistentVolumes, verbs: ["create"] },
    ],
    decide: (observed) => decideOrder(observed, options),
  });

const cloneProtection = (options: DriverOptions): Controller =>
  controller({
    name: `csi-clone-protection-${options.driver}`,
    reconciles: persistentVolumeClaims,
    indexes: { source: sourceKey },
    keysOf: (claim, { before }) => [
      keyOf(claim),
      ...[claim, before ?? claim].flatMap((copy) => {
        const source = sourceOf(copy);
        return source?.type === "claim" ? [key(copy.metadata.namespace, source.name)] : [];
      }),
    ],
    watches: [watch(persistentVolumes)],
    observe(views, k) {
      const claim = views.of(persistentVolumeClaims).get(k);
      if (claim === undefined) return undefined;
      const volume = views.of(persistentVolumes).get(clusterKey(claim.spec.volumeName));
      return { claim, volume, copies: copiesOf(views, "claim", k) };
    },
    writes: [{ kind: persistentVolumeClaims, verbs: ["patch"] }],
    decide: (observed) => decideCloning(observed, options),
  });

const snapshotter = (options: DriverOptions): Controller =>
  controller({
    name: `csi-snapshotter-${options.driver}`,
    reconciles: volumeSnapshotContents,
    indexes: {
      class: ({ spec, status }: VolumeSnapshotContent) =>
        status?.readyToUse ? [] : [spec.volumeSnapshotClassName ?? ""],
    },
    watches: [
      watch(volumeSnapshotClasses, ({ metadata }, { views }) =>
        views.of(volumeSnapshotContents).byIndex("class", metadata.name).map(keyOf),
      ),
    ],
    observe(views, k) {
      const content = views.of(volumeSnapshotContents).get(k);
      if (content === undefined) return undefined;
      const { volumeSnapshotClassName } = content.spec;
      return { content, snapshotClass: views.of(volumeSnapshotClasses).get(clusterKey(volumeSnapshotClassName)) };
    },
    writes: [
      { kind: volumeSnapshotContents, verbs: ["patch"] },
      { kind: volumeSnapshotContents, subresource: "status", verbs: ["update"] },
    ],
    decide: (observed, now) => decideContentSnapshot(observed, options, now),
  });

const reclaimer = (options: DriverOptions): Controller =>
  controller({
    name: `csi-reclaimer-${options.driver}`,
    reconciles: persistentVolumes,
    watches: [watch(volumeAttachments, volumeOf, { volume: volumeOf })],
    observe(views, k) {
      const volume = views.of(persistentVolumes).get(k);
      return volume && { volume, attachments: views.of(volumeAttachments).byIndex("volume", k) };
    },
    writes: [{ kind: persistentVolumes, verbs: ["delete", "patch"] }],
    decide: (observed) => decideReclaim(observed, options),
  });

const resizer = (options: DriverOptions): Controller =>
  controller({
    name: `csi-resizer-${options.driver}`,
    reconciles: persistentVolumeClaims,
    watches: [watch(persistentVolumes, claimOf)],
    observe(views, k) {
      const claim = views.of(persistentVolumeClaims).get(k);
      return claim && { claim, volume: views.of(persistentVolumes).get(clusterKey(claim.spec.volumeName)) };
    },
    writes: [
      { kind: persistentVolumeClaims, subresource: "status", verbs: ["update"] },
      { kind: persistentVolumes, verbs: ["update"] },
    ],
    decide: (observed, now) => decideExpansion(observed, options, now),
  });

const modifier = (options: DriverOptions): Controller =>
  controller({
    name: `csi-modifier-${options.driver}`,
    reconciles: persistentVolumeClaims,
    indexes: { attributes: attributesOf },
    watches: [
      watch(persistentVolumes, claimOf),
      watch(volumeAttributesClasses, ({ metadata }, { views }) =>
        views.of(persistentVolumeClaims).byIndex("attributes", metadata.name).map(keyOf),
      ),
    ],
    observe(views, k) {
      const claim = views.of(persistentVolumeClaims).get(k);
      if (claim === undefined) return undefined;
      const classes = views.of(volumeAttributesClasses);
      const volume = views.of(persistentVolumes).get(clusterKey(claim.spec.volumeName));
      return { claim, volume, classOf: (name: string) => classes.get(clusterKey(name)) };
    },
    writes: [
      { kind: persistentVolumeClaims, subresource: "status", verbs: ["update"] },
      { kind: persistentVolumes, verbs: ["update"] },
    ],
    decide: (observed, now) => decideModification(observed, options, now),
  });

const attacher = (options: DriverOptions): Controller =>
  controller({
    name: `csi-attacher-${options.driver}`,
    reconciles: volumeAttachments,
    watches: [
      watch(persistentVolumes, ({ metadata }, { views }) =>
        views
          .of(volumeAttachments)
          .byIndex("volume", metadata.name)
          .map(({ metadata: { name } }) => clusterKey(name)),
      ),
      watch(csiNodes),
    ],
    indexes: { volume: volumeOf },
    observe(views, k) {
      const attachment = views.of(volumeAttachments).get(k);
      if (attachment === undefined) return undefined;
      const [name] = volumeOf(attachment);
      const volume = name === undefined ? undefined : views.of(persistentVolumes).get(name);
      return { attachment, volume, node: views.of(csiNodes).get(clusterKey(attachment.spec.nodeName)) };
    },
    writes: [
      { kind: volumeAttachments, verbs: ["patch"] },
      { kind: volumeAttachments, subresource: "status", verbs: ["update"] },
    ],
    decide: (observed, now) => decideAttachment(observed, options, now),
  });

/** Of a driver that runs on every node: how much room this node has for each class. */
const capacities = (options: DriverOptions, node: DriverNode): Controller =>
  controller({
    name: `csi-capacities-${options.driver}`,
    reconciles: storageClasses,
    watches: [
      watch(persistentVolumes, (volume) => (isServed(volume, options) ? [clusterKey(classNameOf(volume))] : [])),
      watch(csiNodes, ({ metadata }, { views }) =>
        metadata.name === node.name ? views.of(storageClasses).all().map(keyOf) : [],
      ),
      watch(csiStorageCapacities, ({ metadata, storageClassName }, { type }) =>
        type === "deleted" && metadata.name === capacityName(storageClassName, node, options.driver)
          ? [clusterKey(storageClassName)]
          : [],
      ),
    ],
    observe: (views, name) => ({
      name,
      storageClass: views.of(storageClasses).get(name),
      node: views.of(csiNodes).get(clusterKey(node.name)),
      capacity: views.of(csiStorageCapacities).get(key(capacityNamespace, capacityName(name, node, options.driver))),
    }),
    writes: [{ kind: csiStorageCapacities, verbs: ["create", "delete", "update"] }],
    decide: (observed) => decideCapacity(observed, options),
  });

/** The controllers that run beside a driver. Volumes of a driver that attaches nothing need no attacher. */
export const driverControllers = (options: DriverOptions): readonly Controller[] => [
  provisioner(options),
  reclaimer(options),
  resizer(options),
  ...(options.capabilities.has("MODIFY_VOLUME") ? [modifier(options)] : []),
  ...(options.capabilities.has("CLONE_VOLUME") ? [cloneProtection(options)] : []),
  ...(options.capabilities.has("CREATE_DELETE_SNAPSHOT") ? [snapshotter(options)] : []),
  ...(options.capabilities.has("PUBLISH_UNPUBLISH_VOLUME") ? [attacher(options)] : []),
  ...(options.node && options.capabilities.has("GET_CAPACITY") ? [capacities(options, options.node)] : []),
];

const workers = 8;
const startRetryMs = 200;

/** What the driver can do, as soon as it serves; undefined when aborted before. */
async function capabilitiesOf({ calls }: Beside, { clock }: World, signal: AbortSignal) {
  while (!signal.aborted) {
    try {
      const { capabilities } = await calls.ControllerGetCapabilities({});
      return new Set(capabilities.flatMap(({ rpc }) => (rpc ? [rpc.type] : [])));
    } catch {
      // A driver that does not serve yet is called again.
      await clock.sleep(startRetryMs, signal).catch(() => {});
    }
  }
  return undefined;
}

type Beside = Omit<DriverOptions, "capabilities">;

/** Runs the controllers beside a driver until the signal aborts. */
export async function runDriverControllers(
  beside: Beside,
  client: Client,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const capabilities = await capabilitiesOf(beside, world, signal);
  if (capabilities === undefined) return;
  const options = { ...beside, capabilities };
  const views = sharedViews(client, world);
  const running = driverControllers(options).map((c) =>
    runController(c, { client, world, views }, signal, { workers }),
  );
  await Promise.all([...running, views.run(signal)]);
}
