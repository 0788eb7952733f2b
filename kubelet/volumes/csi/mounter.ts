// Mounts CSI volumes for the pods of a node, and unmounts them: a volume is staged once on the node and published to
// each pod (CSI: NodeStageVolume, NodePublishVolume). Calls for one volume are made one at a time. All of them may be
// repeated, so after a restart of the kubelet every volume that a pod still needs is staged and published again.
import { rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Node } from "../../../api/generated/types.ts";
import { uniqueName } from "../../../csi/protocol/volume-names.ts";
import { serial } from "../../../machinery/serial.ts";
import { VolumeFailure, VolumePending } from "../volume-failure.ts";
import { type CallPorts, expand, isStaged, type MountRequest, publish, recordOf, stage, usageOf } from "./calls.ts";
import type { CsiDriver, CsiDrivers } from "./drivers.ts";
import { isAttachedTo } from "./in-use.ts";
import {
  allPublished,
  allStaged,
  type Found,
  holdersOf,
  mountIn,
  type Published,
  publishedFolder,
  publishedTo,
  removeRecord,
  stagedFolder,
  targetOf,
  unrecordedStaged,
  type VolumeId,
  writeRecord,
} from "./records.ts";
import { rpcMessage } from "./rpc-message.ts";
import { unstaging } from "./unstaging.ts";
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
  /** Unmounts at once from the node what a driver has refused to unmount before. */
  retryUnstaging(): void;
}
interface MounterPorts extends CallPorts {
  readonly drivers: CsiDrivers;
  /** A volume has become free, which pods may wait for. */
  readonly freed: () => void;
  /** Writes the volumes in use to the node's status: what is not in it may be detached. Resolves with the node. */
  readonly reportInUse: () => Promise<Node>;
}

/** The steps of setting up a volume, as Kubernetes' messages call them. */
interface Steps {
  readonly begin: string;
  readonly stage: string;
  readonly publish: string;
  readonly noDriver: string;
  readonly reason: VolumeFailure["reason"];
}
const clientFailed = "failed to get CSI client";
const mounting: Steps = {
  begin: "MountVolume.NewMounter initialization",
  stage: "MountVolume.MountDevice",
  publish: "MountVolume.SetUp",
  noDriver: "attacher.MountDevice failed to create newCsiDriverClient",
  reason: "FailedMount",
};
const mapping: Steps = {
  begin: "MapVolume.NewBlockVolumeMapper initialization",
  stage: "MapVolume.SetUpDevice",
  publish: "MapVolume.MapPodDevice",
  noDriver: `blockMapper.SetUpDevice ${clientFailed}`,
  reason: "FailedMapVolume",
};
const stepsOf = ({ isBlock }: CsiVolume): Steps => (isBlock ? mapping : mounting);

function failure(step: "begin" | "stage" | "publish", volume: CsiVolume, e: unknown): VolumeFailure {
  const steps = stepsOf(volume);
  return new VolumeFailure(`${steps[step]} failed for volume "${volume.name}" : ${rpcMessage(e)}`, steps.reason);
}

const keyFor = ({ driverName, volumeHandle }: VolumeId): string => uniqueName({ driver: driverName, volumeHandle });

const isUsedBy = "volume uses the ReadWriteOncePod access mode and is already in use by another pod";

async function mountOnce(ports: MounterPorts, request: MountRequest): Promise<void> {
  const { volume, pod, attachment } = request;
  const { drivers, stateDir, nodeName } = ports;
  const { uid } = pod.metadata;
  const driver = drivers.get(volume.driver);
  if (driver === undefined) {
    const call = volume.isInline ? `mounter.SetUpAt ${clientFailed}` : stepsOf(volume).noDriver;
    const unknown = `driver name ${volume.driver} not found in the list of registered CSI drivers`;
    throw failure(volume.isInline ? "publish" : "stage", volume, `kubernetes.io/csi: ${call}: ${unknown}`);
  }
  const record = recordOf(volume);
  if (isForOnePod(volume) && (await holdersOf(stateDir, record)).some((holder) => holder !== uid))
    throw failure("publish", volume, isUsedBy);
  await writeRecord<Published>(publishedFolder(stateDir, uid, volume.name), {
    ...record,
    nodeName,
    attachmentID: attachment?.name ?? "",
    volumeLifecycleMode: volume.isInline ? "Ephemeral" : "Persistent",
  });
  if (attachment && !isAttachedTo(await ports.reportInUse(), keyFor(record)))
    throw new VolumePending(`Volume not attached according to node status for volume "${volume.name}"`);
  if (isStaged(driver, volume))
    await stage(ports, driver, request).catch((e: unknown) => {
      throw failure("stage", volume, e);
    });
  await publish(ports, driver, request).catch((e: unknown) => {
    throw failure("publish", volume, e);
  });
}

function registered({ drivers }: MounterPorts, { driverName }: VolumeId): CsiDriver {
  const driver = drivers.get(driverName);
  if (driver === undefined)
    throw new Error(`driver name ${driverName} not found in the list of registered CSI drivers`);
  return driver;
}

/** The mounter of a node. What it attempts again ends with the signal. */
export function csiMounter(ports: MounterPorts, signal: AbortSignal): CsiMounter {
  const { drivers, stateDir, policyOf, freed } = ports;
  const oneAtATime = serial();
  const driverOf = (volume: VolumeId): CsiDriver => registered(ports, volume);
  const staged = unstaging({ ...ports, driverOf, keyFor, oneAtATime }, signal);
  /** The targets that this process has mounted, which need no further calls. */
  const mounted = new Set<string>();
  /** The folders of volumes that are about to be staged. */
  const staging = new Set<string>();
  const mountNow = async (request: MountRequest): Promise<void> => {
    const folder = stagedFolder(stateDir, recordOf(request.volume));
    staging.add(folder);
    await mountOnce(ports, request).finally(() => staging.delete(folder));
  };

  const unmount = async (podUid: string, { folder, record }: Found<Published>): Promise<void> => {
    const targetPath = targetOf(stateDir, podUid, record);
    await driverOf(record).node.NodeUnpublishVolume({ volumeId: record.volumeHandle, targetPath });
    mounted.delete(targetPath);
    // Not removed while other pods have the device.
    if (record.volumeMode === "Block") await rmdir(dirname(targetPath)).catch(() => {});
    await removeRecord(folder, targetPath);
    freed();
    await staged.unstage(record);
    // After a failure the next heartbeat reports it.
    if (record.attachmentID) await ports.reportInUse().catch(() => {});
  };
  return {
    policyOf,
    mount: (request) =>
      oneAtATime(keyFor(recordOf(request.volume)), async () => {
        const { volume, pod } = request;
        const policy = policyOf(volume.driver);
        const targetPath = targetOf(stateDir, pod.metadata.uid, recordOf(volume));
        if (!mounted.has(targetPath) || policy?.requiresRepublish) {
          const unsupported = unsupportedMode(volume, policy);
          if (unsupported !== undefined) throw failure("begin", volume, unsupported);
          await mountNow(request);
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
      const unmounting = found.map((f) => oneAtATime(keyFor(f.record), () => unmount(podUid, f)));
      // All are tried, also after a failure, before the first failure is thrown.
      await Promise.allSettled(unmounting);
      await Promise.all(unmounting);
    },
    async unstageUnused() {
      await staged.unstageAll();
      for (const folder of await unrecordedStaged(stateDir))
        if (!staging.has(folder)) await removeRecord(folder, mountIn(folder));
    },
    retryUnstaging: staged.retry,
  };
}
