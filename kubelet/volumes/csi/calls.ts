// The calls of a driver's Node service for one volume: what they say, and what the kubelet does around them.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Pod, SecretReference } from "../../../api/generated/types.ts";
import { tokenRequests } from "../../../api/authentication/tokenrequests.ts";
import { secrets } from "../../../api/core/secrets.ts";
import { key } from "../../../api/meta.ts";
import type { ClaimedVolume } from "../claims.ts";
import { giveToGroup } from "../ownership.ts";
import { tokenRequestFor } from "../tokens.ts";
import type { CsiDriver } from "./drivers.ts";
import { type ExpansionPorts, expandVolume, needsExpansion } from "./expansion.ts";
import { type Provided, stagedFolder, stagingTargetOf, targetOf, writeRecord } from "./records.ts";
import type { VolumeUsage } from "./usage.ts";
import { capabilityFor, type CsiVolume, type DriverPolicy, isGivenToGroup, podAttributes } from "./volume.ts";

/** A volume that a pod is to have. */
export interface MountRequest {
  readonly pod: Pod;
  readonly volume: CsiVolume;
  /** The name and the metadata of its attachment, where it has one. */
  readonly attachment?: { readonly name: string; readonly metadata: Readonly<Record<string, string>> };
  readonly behind?: ClaimedVolume;
}
export interface CallPorts extends ExpansionPorts {
  readonly stateDir: string;
  readonly policyOf: (driver: string) => DriverPolicy;
}

const statsTimeoutMs = 10_000;

export const recordOf = ({ driver, handle, name, isBlock }: CsiVolume): Provided => ({
  ...{ driverName: driver, volumeHandle: handle, specVolID: name },
  ...(isBlock && { volumeMode: "Block" }),
});
async function secretData(
  { client }: CallPorts,
  ref: SecretReference | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (ref === undefined) return {};
  const { data = {} } = await client.get(secrets, key(ref.namespace, ref.name ?? ""));
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]),
  );
}

const groupOf = ({ spec }: Pod): number | undefined => spec.securityContext?.fsGroup;

/** Mounts the volume on the node. */
export async function stage(ports: CallPorts, driver: CsiDriver, request: MountRequest): Promise<void> {
  const { volume, attachment, pod } = request;
  const record = recordOf(volume);
  await writeRecord(stagedFolder(ports.stateDir, record), record);
  const stagingTargetPath = stagingTargetOf(ports.stateDir, record);
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
export const isStaged = (driver: CsiDriver, volume: CsiVolume): boolean =>
  !volume.isInline && driver.capabilities.has("STAGE_UNSTAGE_VOLUME");

/** Where the volume is staged; empty without staging. */
const stagingTarget = ({ stateDir }: CallPorts, driver: CsiDriver, volume: CsiVolume): string =>
  isStaged(driver, volume) ? stagingTargetOf(stateDir, recordOf(volume)) : "";

/** Tokens of the pod's service account for the audiences that the driver names (KEP-2047). */
async function tokenAttributes(
  { client }: CallPorts,
  pod: Pod,
  policy: DriverPolicy,
): Promise<Readonly<Record<string, string>>> {
  const requests = policy?.tokenRequests ?? [];
  if (requests.length === 0) return {};
  const issued = requests.map(async (request) => {
    const { status } = await client.create(tokenRequests, tokenRequestFor(pod, request));
    return [request.audience, status] as const;
  });
  return { "csi.storage.k8s.io/serviceAccount.tokens": JSON.stringify(Object.fromEntries(await Promise.all(issued))) };
}

/** Mounts the volume for the pod, and gives it to the pod's group; of a block volume the device is put there. */
export async function publish(ports: CallPorts, driver: CsiDriver, request: MountRequest): Promise<void> {
  const { volume, attachment, pod } = request;
  const { stateDir, policyOf } = ports;
  const policy = policyOf(volume.driver);
  const targetPath = targetOf(stateDir, pod.metadata.uid, recordOf(volume));
  await mkdir(dirname(targetPath), { recursive: true, mode: 0o750 });
  await driver.node.NodePublishVolume({
    volumeId: volume.handle,
    publishContext: attachment?.metadata,
    stagingTargetPath: stagingTarget(ports, driver, volume),
    targetPath,
    volumeCapability: capabilityFor(volume, driver.capabilities, groupOf(pod)),
    readonly: volume.readOnly,
    secrets: await secretData(ports, volume.secrets.publish),
    volumeContext: {
      ...volume.attributes,
      ...podAttributes(pod, volume, policy),
      ...(await tokenAttributes(ports, pod, policy)),
    },
  });
  if (isGivenToGroup(volume, policy) && !driver.capabilities.has("VOLUME_MOUNT_GROUP"))
    await giveToGroup(targetPath, pod.spec.securityContext).catch((e: Error) => {
      throw new Error(`applyFSGroup failed for vol ${volume.handle}: ${e.message}`);
    });
}

/** Grows the volume for its claim, if that is due and the driver does it on nodes. */
export async function expand(ports: CallPorts, driver: CsiDriver, request: MountRequest): Promise<void> {
  const { pod, volume, behind } = request;
  if (!behind || !needsExpansion(behind) || !driver.capabilities.has("EXPAND_VOLUME")) return;
  await expandVolume(ports, pod, behind, async (bytes) =>
    driver.node.NodeExpandVolume({
      volumeId: volume.handle,
      volumePath: targetOf(ports.stateDir, pod.metadata.uid, recordOf(volume)),
      stagingTargetPath: stagingTarget(ports, driver, volume),
      capacityRange: { requiredBytes: bytes },
      volumeCapability: capabilityFor(volume, driver.capabilities, groupOf(pod)),
      secrets: await secretData(ports, volume.secrets.expand),
    }),
  );
}

type Received = Awaited<ReturnType<CsiDriver["node"]["NodeGetVolumeStats"]>>["usage"];
function usageFrom(received: Received): VolumeUsage {
  const bytes = received.find(({ unit }) => unit === "BYTES");
  const inodes = received.find(({ unit }) => unit === "INODES");
  return {
    ...(bytes && { capacityBytes: bytes.total, availableBytes: bytes.available, usedBytes: bytes.used }),
    ...(inodes && { inodes: inodes.total, inodesFree: inodes.available, inodesUsed: inodes.used }),
  };
}

/** What a mounted volume holds; undefined when the driver does not measure. */
export async function usageOf(
  ports: CallPorts,
  driver: CsiDriver,
  podUid: string,
  volume: CsiVolume,
): Promise<VolumeUsage | undefined> {
  if (!driver.capabilities.has("GET_VOLUME_STATS")) return undefined;
  const { usage } = await driver.node.NodeGetVolumeStats(
    {
      volumeId: volume.handle,
      volumePath: targetOf(ports.stateDir, podUid, recordOf(volume)),
      stagingTargetPath: stagingTarget(ports, driver, volume),
    },
    { timeoutMs: statsTimeoutMs },
  );
  return usageFrom(usage);
}
