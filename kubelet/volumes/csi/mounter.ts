// Mounts CSI volumes for the pods of a node, and unmounts them: a volume is staged once on the node and published to
// each pod (CSI: NodeStageVolume, NodePublishVolume). Calls for one volume are made one at a time. All of them may be
// repeated, so after a restart of the kubelet every volume that a pod still needs is staged and published again.
import { existsSync } from "node:fs";
import { uniqueName } from "../../../csi/protocol/volume-names.ts";
import { serial } from "../../../machinery/serial.ts";
import { VolumeFailure } from "../volume-failure.ts";
import { type CallPorts, expand, idOf, isStaged, type MountRequest, publish, stage, usageOf } from "./calls.ts";
import type { CsiDriver, CsiDrivers } from "./drivers.ts";
import {
  allPublished,
  allStaged,
  type Found,
  holdersOf,
  type Published,
  publishedFolder,
  publishedTo,
  removeRecord,
  stagedFolder,
  stagingTargetIn,
  targetIn,
  type VolumeId,
  writeRecord,
} from "./records.ts";
import { rpcMessage } from "./rpc-message.ts";
import type { VolumeUsage } from "./usage.ts";
import { type CsiVolume, type DriverPolicy, isAttached, isForOnePod, unsupportedMode } from "./volume.ts";

export interface CsiMounter {
  /** Mounts the volume for the pod, and grows it if that is due. Repeated without cost. Throws `VolumeFailure`. */
  mount(request: MountRequest): Promise<void>;
  /** What the driver demands of the kubelet. */
  policyOf(driver: string): DriverPolicy;
  /** What a mounted volume holds; undefined when its driver is away or does not measure. */
  usage(podUid: string, volume: CsiVolume): Promise<VolumeUsage | undefined>;
  /** The attached volumes that are mounted or about to be, by their unique names, for `volumesInUse` of the node. */
  inUse(): Promise<readonly string[]>;
  /** Unmounts all volumes of a pod. Fails when a driver is away or refuses, and may be repeated then. */
  unmountAll(podUid: string): Promise<void>;
  /** Unmounts from the node what no pod needs, as a kubelet that was killed may leave it. */
  unstageUnused(): Promise<void>;
}
interface MounterPorts extends CallPorts {
  readonly drivers: CsiDrivers;
  /** A volume has become free, which pods may wait for. */
  readonly freed: () => void;
  /** Writes the volumes in use to the node's status: what is not in it may be detached. */
  readonly reportInUse: () => Promise<unknown>;
}

const failure = (step: string, { name }: CsiVolume, e: unknown): VolumeFailure =>
  new VolumeFailure(`MountVolume.${step} failed for volume "${name}" : ${rpcMessage(e)}`);

const keyFor = ({ driverName, volumeHandle }: VolumeId): string => uniqueName({ driver: driverName, volumeHandle });

const isUsedBy = "volume uses the ReadWriteOncePod access mode and is already in use by another pod";

async function mountOnce(ports: MounterPorts, request: MountRequest): Promise<void> {
  const { volume, pod, attachment } = request;
  const { drivers, stateDir, nodeName } = ports;
  const { uid } = pod.metadata;
  const driver = drivers.get(volume.driver);
  if (driver === undefined) {
    const unknown = `driver name ${volume.driver} not found in the list of registered CSI drivers`;
    throw volume.isInline
      ? failure("SetUp", volume, `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: ${unknown}`)
      : failure(
          "MountDevice",
          volume,
          `kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: ${unknown}`,
        );
  }
  if (isForOnePod(volume) && (await holdersOf(stateDir, idOf(volume))).some((holder) => holder !== uid))
    throw failure("SetUp", volume, isUsedBy);
  await writeRecord<Published>(publishedFolder(stateDir, uid, volume.name), {
    ...idOf(volume),
    specVolID: volume.name,
    nodeName,
    attachmentID: attachment?.name ?? "",
    volumeLifecycleMode: volume.isInline ? "Ephemeral" : "Persistent",
  });
  if (attachment) await ports.reportInUse();
  if (isStaged(driver, volume))
    await stage(ports, driver, request).catch((e: unknown) => {
      throw failure("MountDevice", volume, e);
    });
  await publish(ports, driver, request).catch((e: unknown) => {
    throw failure("SetUp", volume, e);
  });
}

function registered({ drivers }: MounterPorts, { driverName }: VolumeId): CsiDriver {
  const driver = drivers.get(driverName);
  if (driver === undefined)
    throw new Error(`driver name ${driverName} not found in the list of registered CSI drivers`);
  return driver;
}

/** Unmounts the volume from the node unless a pod has it. */
async function unstageIfUnused(ports: MounterPorts, id: VolumeId): Promise<void> {
  const folder = stagedFolder(ports.stateDir, id);
  if (!existsSync(folder) || (await holdersOf(ports.stateDir, id)).length > 0) return;
  const stagingTargetPath = stagingTargetIn(folder);
  await registered(ports, id).node.NodeUnstageVolume({ volumeId: id.volumeHandle, stagingTargetPath });
  await removeRecord(folder, stagingTargetPath);
}

/** The mounter of a node. */
export function csiMounter(ports: MounterPorts): CsiMounter {
  const { drivers, stateDir, policyOf, freed } = ports;
  const oneAtATime = serial();
  /** The targets that this process has mounted, which need no further calls. */
  const mounted = new Set<string>();

  const unmount = async ({ folder, record }: Found<Published>): Promise<void> => {
    const targetPath = targetIn(folder);
    await registered(ports, record).node.NodeUnpublishVolume({ volumeId: record.volumeHandle, targetPath });
    mounted.delete(targetPath);
    await removeRecord(folder, targetPath);
    freed();
    await unstageIfUnused(ports, record);
    // After a failure the next heartbeat reports it.
    if (record.attachmentID) await ports.reportInUse().catch(() => {});
  };
  return {
    policyOf,
    mount: (request) =>
      oneAtATime(keyFor(idOf(request.volume)), async () => {
        const { volume, pod } = request;
        const policy = policyOf(volume.driver);
        const targetPath = targetIn(publishedFolder(stateDir, pod.metadata.uid, volume.name));
        if (!mounted.has(targetPath) || policy?.requiresRepublish) {
          const unsupported = unsupportedMode(volume, policy);
          if (unsupported !== undefined) throw failure("NewMounter initialization", volume, unsupported);
          await mountOnce(ports, request);
          mounted.add(targetPath);
        }
        const driver = drivers.get(volume.driver);
        if (driver) await expand(ports, driver, request);
      }),
    async usage(podUid, volume) {
      const driver = drivers.get(volume.driver);
      return driver && usageOf(ports, driver, podUid, volume);
    },
    async inUse() {
      const published = (await allPublished(stateDir)).filter(
        ({ record }) => record.volumeLifecycleMode !== "Ephemeral",
      );
      const ids = [...(await allStaged(stateDir)), ...published].map(({ record }) => record);
      const attached = ids.filter(({ driverName }) => isAttached({ isInline: false }, policyOf(driverName)));
      return [...new Set(attached.map(keyFor))].toSorted();
    },
    async unmountAll(podUid) {
      const found = await publishedTo(stateDir, podUid);
      const unmounting = found.map((f) => oneAtATime(keyFor(f.record), () => unmount(f)));
      // All are tried, also after a failure, before the first failure is thrown.
      await Promise.allSettled(unmounting);
      await Promise.all(unmounting);
    },
    async unstageUnused() {
      for (const { record } of await allStaged(stateDir))
        await oneAtATime(keyFor(record), () => unstageIfUnused(ports, record));
    },
  };
}
