// The controllers that run beside a CSI driver and call it: what Kubernetes' external-provisioner, external-resizer and
// external-attacher do.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { classNameOf } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, VolumeAttachment } from "../../api/generated/types.ts";
import { type Key, key, keyOf } from "../../api/meta.ts";
import { csiNodes, csiStorageCapacities, volumeAttachments } from "../../api/storage/csi.ts";
import { storageClasses } from "../../api/storage/storageclasses.ts";
import type { Client } from "../../machinery/client.ts";
import { type Controller, controller, watch } from "../../machinery/controller.ts";
import { sharedViews } from "../../machinery/informer.ts";
import { runController } from "../../machinery/reconcile.ts";
import type { World } from "../../machinery/world.ts";
import { decideAttachment } from "./attach.ts";
import { capacityName, capacityNamespace, decideCapacity } from "./capacity.ts";
import { decideExpansion } from "./expand.ts";
import { volumeNameOf } from "./new-volume.ts";
import { decideOrder } from "./provision.ts";
import { decideReclaim, isServed } from "./reclaim.ts";
import type { DriverNode, DriverOptions } from "./sidecar.ts";

const claimOf = ({ spec: { claimRef } }: PersistentVolume): readonly Key[] =>
  claimRef?.name === undefined ? [] : [key(claimRef.namespace, claimRef.name)];
const clusterKey = (name: string | undefined): Key => key(undefined, name ?? "");
const volumeOf = ({ spec: { source } }: VolumeAttachment): readonly Key[] =>
  source.persistentVolumeName === undefined ? [] : [clusterKey(source.persistentVolumeName)];

const provisioner = (options: DriverOptions): Controller =>
  controller({
    name: `csi-provisioner-${options.driver}`,
    reconciles: persistentVolumeClaims,
    indexes: { class: (claim: PersistentVolumeClaim) => (claim.spec.volumeName ? [] : [classNameOf(claim)]) },
    watches: [
      watch(persistentVolumes, claimOf),
      watch(storageClasses, ({ metadata }, { views }) =>
        views
          .of(persistentVolumeClaims)
          .byIndex("class", metadata.name)
          .map((claim) => key(claim.metadata.namespace, claim.metadata.name)),
      ),
    ],
    observe(views, k) {
      const claims = views.of(persistentVolumeClaims);
      const volumes = views.of(persistentVolumes);
      const claim = claims.get(k);
      if (claim === undefined) return undefined;
      const { dataSource } = claim.spec;
      const sourceClaim = dataSource && claims.get(key(claim.metadata.namespace, dataSource.name));
      return {
        claim,
        storageClass: views.of(storageClasses).get(clusterKey(classNameOf(claim))),
        volume: volumes.get(clusterKey(volumeNameOf(claim))),
        sourceClaim,
        source: volumes.get(clusterKey(sourceClaim?.spec.volumeName)),
      };
    },
    writes: [
      { kind: persistentVolumeClaims, verbs: ["patch"] },
      { kind: persistentVolumes, verbs: ["create"] },
    ],
    decide: (observed) => decideOrder(observed, options),
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
