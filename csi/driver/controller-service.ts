// The Controller service of a driver: volumes and snapshots in its store.
import { createHash } from "node:crypto";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ControllerCapability, CreateVolumeRequest, controllerService } from "../protocol/controller.ts";
import { type Handlers, RpcError } from "../protocol/grpc.ts";
import { attributesIn, modifyVolume } from "./attributes.ts";
import { type DriverContext, topologyOf, volumeOf } from "./context.ts";
import { controllerHealthHandlers } from "./health.ts";
import type { DriverProfile } from "./profile.ts";
import { chosenSize, isWithin, page, requireFields, requireSupported, sizeRange, unsupported } from "./requests.ts";
import {
  type Backing,
  type ContentSource,
  type StoredSnapshot,
  type StoredVolume,
  copyData,
  imageFile,
} from "./volume-store.ts";

const capabilities: readonly ControllerCapability[] = [
  "CREATE_DELETE_VOLUME",
  "LIST_VOLUMES",
  "GET_CAPACITY",
  "CREATE_DELETE_SNAPSHOT",
  "LIST_SNAPSHOTS",
  "GET_SNAPSHOT",
  "CLONE_VOLUME",
  "EXPAND_VOLUME",
  "GET_VOLUME",
  "GET_VOLUME_HEALTH",
  "LIST_VOLUME_HEALTH",
  "SINGLE_NODE_MULTI_WRITER",
];

/** A folder has no attribute that could be changed. */
const isModifiable = ({ backing }: DriverProfile): boolean => backing.withLoopDevices === "image";

/** The id of what has this name: a call that is repeated finds what the first one made. */
const idOf = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 40);

const contentSource = (source: ContentSource | undefined) =>
  source === undefined ? undefined : "snapshotId" in source ? { snapshot: source } : { volume: source };

function volumeMessage(context: DriverContext, { id, capacityBytes, source }: StoredVolume) {
  const topology = topologyOf(context);
  return {
    volumeId: id,
    capacityBytes,
    ...(source && { contentSource: contentSource(source) }),
    ...(topology && { accessibleTopology: [topology] }),
  };
}

const snapshotMessage = ({ id, volumeId, sizeBytes, createdAt }: StoredSnapshot) => ({
  snapshotId: id,
  sourceVolumeId: volumeId,
  sizeBytes,
  creationTime: { seconds: Math.floor(createdAt / 1000), nanos: (createdAt % 1000) * 1_000_000 },
  readyToUse: true,
});

async function snapshotOf({ store }: DriverContext, id: string): Promise<StoredSnapshot> {
  requireFields({ "snapshot id": id });
  const found = await store.snapshots.get(id);
  if (!found) throw new RpcError("NOT_FOUND", `snapshot ${id} does not exist`);
  return found;
}

interface Origin {
  readonly source: ContentSource;
  readonly bytes: number;
  readonly backing: Backing;
  readonly data: string;
}

/** What a new volume is copied from. */
async function originOf(context: DriverContext, request: CreateVolumeRequest): Promise<Origin | undefined> {
  const { volumes, snapshots } = context.store;
  const { snapshot, volume } = request.volumeContentSource ?? {};
  if (snapshot) {
    const { snapshotId } = snapshot;
    const { sizeBytes, backing } = await snapshotOf(context, snapshotId);
    return { source: { snapshotId }, bytes: sizeBytes, backing, data: snapshots.dataOf(snapshotId) };
  }
  if (!volume) return undefined;
  const { id, capacityBytes, backing } = await volumeOf(context, volume.volumeId);
  return { source: { volumeId: id }, bytes: capacityBytes, backing, data: volumes.dataOf(id) };
}

/** Throws when the volume must be reached from nodes that this driver does not serve. */
function requireReachable(context: DriverContext, { accessibilityRequirements }: CreateVolumeRequest): void {
  const own = topologyOf(context);
  const requisite = accessibilityRequirements?.requisite ?? [];
  if (own === undefined || requisite.length === 0) return;
  const key = context.profile.topologyKey!;
  if (!requisite.some(({ segments }) => segments[key] === context.node))
    throw new RpcError("RESOURCE_EXHAUSTED", `volumes of node ${context.node} cannot be reached from there`);
}

/** Copies what is written now: a file system that is mounted is held still meanwhile, a block device flushed before. */
async function copyConsistently({ mounts }: DriverContext, from: string, to: string): Promise<void> {
  const copy = (): Promise<void> => copyData(from, to);
  const image = join(from, imageFile);
  const mounted = await mounts.mountedFrom(image);
  if (mounted === undefined) await mounts.flush(image);
  await (mounted === undefined ? copy() : mounts.frozen(mounted, copy));
}

async function fill(context: DriverContext, volume: StoredVolume, origin: Origin | undefined, data: string) {
  if (origin) await copyConsistently(context, origin.data, data);
  if (volume.backing === "folder") return;
  const image = join(data, imageFile);
  if (!origin) await writeFile(image, "");
  await truncate(image, volume.capacityBytes);
}

/** Makes the file system while the volume is bound and its pod placed. Staging waits for it, and tries again. */
function prepareInAdvance({ serial, mounts, store }: DriverContext, { id }: StoredVolume): void {
  serial(id, () => mounts.prepareImage(join(store.volumes.dataOf(id), imageFile))).catch(() => {});
}

async function createVolume(context: DriverContext, request: CreateVolumeRequest): Promise<StoredVolume> {
  const { store } = context;
  const { name, volumeCapabilities } = request;
  requireFields({ "volume name": name, "volume capabilities": volumeCapabilities });
  requireSupported(volumeCapabilities, context);
  const range = sizeRange(request.capacityRange);
  const origin = await originOf(context, request);
  const id = idOf(name);
  const existing = await store.volumes.get(id);
  const isSame = (v: StoredVolume): boolean =>
    isWithin(v.capacityBytes, range) && JSON.stringify(v.source) === JSON.stringify(origin?.source);
  if (existing && !isSame(existing))
    throw new RpcError("ALREADY_EXISTS", `there is another volume with the name ${name}: of another size or source`);
  if (existing) return existing;
  requireReachable(context, request);
  const capacityBytes = chosenSize(range, origin?.bytes ?? 0);
  const available = await store.availableBytes();
  if (capacityBytes > available)
    throw new RpcError("RESOURCE_EXHAUSTED", `${capacityBytes} bytes are requested and ${available} are free`);
  const backing = origin?.backing ?? context.backing;
  const attributes = attributesIn(request.mutableParameters, backing);
  const volume: StoredVolume = {
    ...{ id, name, capacityBytes, backing, attributes },
    ...(origin && { source: origin.source }),
  };
  const added = await store.volumes.add(volume, (data) => fill(context, volume, origin, data));
  if (added.backing === "image" && volumeCapabilities.every((c) => c.mount)) prepareInAdvance(context, added);
  return added;
}

async function createSnapshot(context: DriverContext, volumeId: string, name: string): Promise<StoredSnapshot> {
  requireFields({ "snapshot name": name, "source volume id": volumeId });
  const { snapshots, volumes } = context.store;
  const existing = await snapshots.get(idOf(name));
  if (existing && existing.volumeId !== volumeId)
    throw new RpcError("ALREADY_EXISTS", `snapshot ${name} is of another volume`);
  if (existing) return existing;
  const { capacityBytes, backing } = await volumeOf(context, volumeId);
  const createdAt = context.clock.now();
  const snapshot = { id: idOf(name), name, volumeId, backing, sizeBytes: capacityBytes, createdAt };
  return snapshots.add(snapshot, (data) => copyConsistently(context, volumes.dataOf(volumeId), data));
}

async function expandVolume(context: DriverContext, id: string, requested: Parameters<typeof sizeRange>[0]) {
  requireFields({ "volume id": id, "capacity range": requested });
  const range = sizeRange(requested);
  const volume = await volumeOf(context, id);
  const { store } = context;
  const nodeExpansionRequired = volume.backing === "image";
  // Volumes never shrink, and a repeated call finds the volume grown.
  if (volume.capacityBytes >= range.requiredBytes)
    return { capacityBytes: volume.capacityBytes, nodeExpansionRequired };
  const more = range.requiredBytes - volume.capacityBytes;
  if (more > (await store.availableBytes())) throw new RpcError("OUT_OF_RANGE", `${more} more bytes are not free`);
  if (volume.backing === "image") await truncate(join(store.volumes.dataOf(id), imageFile), range.requiredBytes);
  await store.volumes.update({ ...volume, capacityBytes: range.requiredBytes });
  return { capacityBytes: range.requiredBytes, nodeExpansionRequired };
}

async function listedSnapshots({ store }: DriverContext, id: string, volumeId: string) {
  const all = id === "" ? await store.snapshots.list() : [await store.snapshots.get(id)];
  return all.filter((s): s is StoredSnapshot => s !== undefined && (volumeId === "" || s.volumeId === volumeId));
}

export function controllerHandlers(context: DriverContext): Handlers<typeof controllerService> {
  const { store, profile, serial } = context;
  return {
    ControllerGetCapabilities: async () => ({
      capabilities: [...capabilities, ...(isModifiable(profile) ? (["MODIFY_VOLUME"] as const) : [])].map((type) => ({
        rpc: { type },
      })),
    }),
    CreateVolume: (request) =>
      serial(idOf(request.name), async () => ({
        volume: volumeMessage(context, await createVolume(context, request)),
      })),
    async DeleteVolume({ volumeId }) {
      requireFields({ "volume id": volumeId });
      return serial(volumeId, async () => {
        // Mounted, or given to pods as a device.
        if ((await context.mounts.deviceOf(join(store.volumes.dataOf(volumeId), imageFile))) !== undefined)
          throw new RpcError("FAILED_PRECONDITION", `volume ${volumeId} is in use on node ${context.node}`);
        await store.volumes.remove(volumeId);
        return {};
      });
    },
    async ValidateVolumeCapabilities({ volumeId, volumeContext, volumeCapabilities, parameters }) {
      requireFields({ "volume id": volumeId, "volume capabilities": volumeCapabilities });
      await volumeOf(context, volumeId);
      const reasons = volumeCapabilities.flatMap((c) => unsupported(c, context) ?? []);
      if (reasons.length > 0) return { message: reasons.join("; ") };
      return { confirmed: { volumeContext, volumeCapabilities, parameters } };
    },
    async ListVolumes(request) {
      const { entries, nextToken } = page(await store.volumes.list(), request);
      return { entries: entries.map((v) => ({ volume: volumeMessage(context, v) })), nextToken };
    },
    async ControllerGetVolume({ volumeId }) {
      return { volume: volumeMessage(context, await volumeOf(context, volumeId)) };
    },
    async ControllerModifyVolume({ volumeId, mutableParameters }) {
      const volume = await volumeOf(context, volumeId);
      return serial(volumeId, async () => {
        await modifyVolume(context, volume, mutableParameters);
        return {};
      });
    },
    async GetCapacity({ accessibleTopology, volumeCapabilities }) {
      const key = profile.topologyKey;
      const isElsewhere =
        key !== undefined && accessibleTopology !== null && accessibleTopology.segments[key] !== context.node;
      const isServed = !isElsewhere && volumeCapabilities.every((c) => unsupported(c, context) === undefined);
      return { availableCapacity: isServed ? await store.availableBytes() : 0 };
    },
    CreateSnapshot: ({ sourceVolumeId, name }) =>
      serial(idOf(name), async () => ({
        snapshot: snapshotMessage(await createSnapshot(context, sourceVolumeId, name)),
      })),
    async DeleteSnapshot({ snapshotId }) {
      requireFields({ "snapshot id": snapshotId });
      await store.snapshots.remove(snapshotId);
      return {};
    },
    async ListSnapshots(request) {
      const found = await listedSnapshots(context, request.snapshotId, request.sourceVolumeId);
      const { entries, nextToken } = page(found, request);
      return { entries: entries.map((s) => ({ snapshot: snapshotMessage(s) })), nextToken };
    },
    async GetSnapshot({ snapshotId }) {
      return { snapshot: snapshotMessage(await snapshotOf(context, snapshotId)) };
    },
    ...controllerHealthHandlers(context),
    ControllerExpandVolume: ({ volumeId, capacityRange }) =>
      serial(volumeId, () => expandVolume(context, volumeId, capacityRange)),
  };
}
