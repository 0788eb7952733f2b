// Mounts CSI volumes for the pods of a node, and unmounts them: a volume is staged once on the node and published to
// each pod (CSI: NodeStageVolume, NodePublishVolume). Calls for one volume are made one at a time. All of them may be
// repeated, so after a restart of the kubelet every volume that a pod still needs is staged and published again.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Pod, SecretReference } from "../../../api/generated/types.ts";
import { secrets } from "../../../api/core/secrets.ts";
import { key } from "../../../api/meta.ts";
import { serial } from "../../../machinery/serial.ts";
import { giveToGroup } from "../ownership.ts";
import type { ClaimedVolume } from "../claims.ts";
import { VolumeFailure } from "../volume-failure.ts";
import type { CsiDriver, CsiDrivers } from "./drivers.ts";
import {
  allStaged,
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
import {
  capabilityFor,
  type CsiVolume,
  type DriverPolicy,
  isForOnePod,
  isGivenToGroup,
  podAttributes,
  uniqueName,
  unsupportedMode,
} from "./volume.ts";
import { type ExpansionPorts, expandVolume, needsExpansion } from "./expansion.ts";
import { rpcMessage } from "./rpc-message.ts";

/** A volume that a pod is to have. */
export interface MountRequest {
  readonly pod: Pod;
  readonly volume: CsiVolume;
  /** The name and the metadata of its attachment, where it has one. */
  readonly attachment?: { readonly name: string; readonly metadata: Readonly<Record<string, string>> };
  readonly behind?: ClaimedVolume;
}
export interface CsiMounter {
  /** Mounts the volume for the pod, and grows it if that is due. Repeated without cost. Throws `VolumeFailure`. */
  mount(request: MountRequest): Promise<void>;
  /** What the driver demands of the kubelet. */
  policyOf(driver: string): DriverPolicy;
  /** Unmounts all volumes of a pod. Fails when a driver is away or refuses, and may be repeated then. */
  unmountAll(podUid: string): Promise<void>;
  /** Unmounts from the node what no pod needs, as a kubelet that was killed may leave it. */
  unstageUnused(): Promise<void>;
}
export interface MounterPorts extends ExpansionPorts {
  readonly drivers: CsiDrivers;
  readonly stateDir: string;
  readonly policyOf: (driver: string) => DriverPolicy;
  /** A volume has become free, which pods may wait for. */
  readonly freed: () => void;
}

const failure = (step: string, { name }: CsiVolume, e: unknown): VolumeFailure =>
  new VolumeFailure(`MountVolume.${step} failed for volume "${name}" : ${rpcMessage(e)}`);

const idOf = ({ driver, handle }: CsiVolume): VolumeId => ({ driverName: driver, volumeHandle: handle });
const keyFor = ({ driverName, volumeHandle }: VolumeId): string =>
  uniqueName({ driver: driverName, handle: volumeHandle });

async function secretData(
  { client }: MounterPorts,
  ref: SecretReference | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (ref === undefined) return {};
  const { data = {} } = await client.get(secrets, key(ref.namespace, ref.name ?? ""));
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]),
  );
}

const groupOf = ({ spec }: Pod): number | undefined => spec.securityContext?.fsGroup;

async function stage(ports: MounterPorts, driver: CsiDriver, request: MountRequest): Promise<void> {
  const { volume, attachment, pod } = request;
  const folder = stagedFolder(ports.stateDir, idOf(volume));
  await writeRecord(folder, idOf(volume));
  const stagingTargetPath = stagingTargetIn(folder);
  await mkdir(stagingTargetPath, { recursive: true, mode: 0o750 });
  await driver.node.NodeStageVolume({
    volumeId: volume.handle,
    publishContext: attachment?.metadata,
    stagingTargetPath,
    volumeCapability: capabilityFor(volume, driver.capabilities, groupOf(pod)),
    secrets: await secretData(ports, volume.secrets.stage),
    volumeContext: volume.attributes,
  });
}

/** Whether the driver keeps the volume staged on the node, between the node and its pods. */
const isStaged = (driver: CsiDriver, volume: CsiVolume): boolean =>
  !volume.isInline && driver.capabilities.has("STAGE_UNSTAGE_VOLUME");

/** Where the volume is staged; empty without staging. */
const stagingTarget = ({ stateDir }: MounterPorts, driver: CsiDriver, volume: CsiVolume): string =>
  isStaged(driver, volume) ? stagingTargetIn(stagedFolder(stateDir, idOf(volume))) : "";

async function publish(ports: MounterPorts, driver: CsiDriver, request: MountRequest): Promise<void> {
  const { volume, attachment, pod } = request;
  const { stateDir, policyOf } = ports;
  const policy = policyOf(volume.driver);
  const targetPath = targetIn(publishedFolder(stateDir, pod.metadata.uid, volume.name));
  await driver.node.NodePublishVolume({
    volumeId: volume.handle,
    publishContext: attachment?.metadata,
    stagingTargetPath: stagingTarget(ports, driver, volume),
    targetPath,
    volumeCapability: capabilityFor(volume, driver.capabilities, groupOf(pod)),
    readonly: volume.readOnly,
    secrets: await secretData(ports, volume.secrets.publish),
    volumeContext: { ...volume.attributes, ...podAttributes(pod, volume, policy) },
  });
  if (isGivenToGroup(volume, policy) && !driver.capabilities.has("VOLUME_MOUNT_GROUP"))
    await giveToGroup(targetPath, pod.spec.securityContext).catch((e: Error) => {
      throw new Error(`applyFSGroup failed for vol ${volume.handle}: ${e.message}`);
    });
}

/** Grows the volume for its claim, if that is due and the driver does it on nodes. */
async function expand(ports: MounterPorts, { pod, volume, behind }: MountRequest): Promise<void> {
  const driver = ports.drivers.get(volume.driver);
  if (!behind || !needsExpansion(behind) || !driver?.capabilities.has("EXPAND_VOLUME")) return;
  await expandVolume(ports, pod, behind, async (bytes) =>
    driver.node.NodeExpandVolume({
      volumeId: volume.handle,
      volumePath: targetIn(publishedFolder(ports.stateDir, pod.metadata.uid, volume.name)),
      stagingTargetPath: stagingTarget(ports, driver, volume),
      capacityRange: { requiredBytes: bytes },
      volumeCapability: capabilityFor(volume, driver.capabilities, groupOf(pod)),
      secrets: await secretData(ports, volume.secrets.expand),
    }),
  );
}

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
  const { stateDir, policyOf, freed } = ports;
  const oneAtATime = serial();
  /** The targets that this process has mounted, which need no further calls. */
  const mounted = new Set<string>();

  const unmount = async (folder: string, id: VolumeId): Promise<void> => {
    const targetPath = targetIn(folder);
    await registered(ports, id).node.NodeUnpublishVolume({ volumeId: id.volumeHandle, targetPath });
    mounted.delete(targetPath);
    await removeRecord(folder, targetPath);
    freed();
    await unstageIfUnused(ports, id);
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
        await expand(ports, request);
      }),
    async unmountAll(podUid) {
      const found = await publishedTo(stateDir, podUid);
      const unmounting = found.map(({ folder, record }) => oneAtATime(keyFor(record), () => unmount(folder, record)));
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
