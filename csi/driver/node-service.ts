// The Node service of a driver: a volume is mounted once on its node, and shown from there to each pod that uses it.
import { statfs, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Handlers, RpcError } from "../protocol/grpc.ts";
import type { NodeCapability, nodeService } from "../protocol/node.ts";
import type { VolumeCapability } from "../protocol/volumes.ts";
import { applyAttributes } from "./attributes.ts";
import { type DriverContext, topologyOf } from "./context.ts";
import { nodeHealthHandlers } from "./health.ts";
import { requireFields, requireSupported, sizeRange } from "./requests.ts";
import { runProgram } from "../../machinery/run-program.ts";
import { type StoredVolume, imageFile } from "./volume-store.ts";

const capabilities: readonly NodeCapability[] = [
  "STAGE_UNSTAGE_VOLUME",
  "GET_VOLUME_STATS",
  "EXPAND_VOLUME",
  "SINGLE_NODE_MULTI_WRITER",
  "GET_VOLUME_HEALTH",
  "GET_STORAGE_HEALTH",
];

async function found({ store }: DriverContext, id: string): Promise<StoredVolume> {
  const volume = await store.volumes.get(id);
  if (!volume) throw new RpcError("NOT_FOUND", `volume ${id} does not exist here`);
  return volume;
}

/** The device of a block volume in its staging folder. */
const deviceIn = (stagingTargetPath: string): string => join(stagingTargetPath, "device");

async function stage(context: DriverContext, volume: StoredVolume, target: string, { block, mount }: VolumeCapability) {
  const { store, mounts } = context;
  const data = store.volumes.dataOf(volume.id);
  const flags = mount?.mountFlags ?? [];
  if (block) await mounts.attachImage(join(data, imageFile), deviceIn(target));
  else if (volume.backing === "image") await mounts.mountImage(join(data, imageFile), target, { flags });
  else await mounts.bind(data, target, { readOnly: false });
  await applyAttributes(context, volume);
}

/** Bytes and inodes of what is mounted there; of a folder what is in it, since its file system has others, too. */
async function usageOf(volume: StoredVolume, path: string) {
  if ((await stat(path)).isBlockDevice()) return [{ unit: "BYTES", total: volume.capacityBytes } as const];
  const { blocks, bavail, bsize, files, ffree } = await statfs(path);
  const inodes = { unit: "INODES", total: files, available: ffree, used: files - ffree } as const;
  if (volume.backing === "image") {
    const [total, available] = [blocks * bsize, bavail * bsize];
    return [{ unit: "BYTES", total, available, used: total - available } as const, inodes];
  }
  const used = Number((await runProgram("du", ["--summarize", "--bytes", path])).split("\t")[0]);
  const total = volume.capacityBytes;
  return [{ unit: "BYTES", total, available: Math.max(0, total - used), used } as const, inodes];
}

export function nodeHandlers(context: DriverContext): Handlers<typeof nodeService> {
  const { mounts, serial, store } = context;
  return {
    NodeGetCapabilities: async () => ({ capabilities: capabilities.map((type) => ({ rpc: { type } })) }),
    NodeGetInfo: async () => ({ nodeId: context.node, accessibleTopology: topologyOf(context) }),
    async NodeStageVolume({ volumeId, stagingTargetPath, volumeCapability }) {
      requireFields({
        ...{ "volume id": volumeId, "staging target path": stagingTargetPath },
        "volume capability": volumeCapability,
      });
      requireSupported([volumeCapability!], context);
      const volume = await found(context, volumeId);
      await serial(volumeId, () => stage(context, volume, stagingTargetPath, volumeCapability!));
      return {};
    },
    async NodeUnstageVolume({ volumeId, stagingTargetPath }) {
      requireFields({ "volume id": volumeId, "staging target path": stagingTargetPath });
      await serial(volumeId, async () => {
        const image = join(store.volumes.dataOf(volumeId), imageFile);
        if (!(await mounts.isMounted(stagingTargetPath))) await mounts.detachImage(image, deviceIn(stagingTargetPath));
        await mounts.unmount(stagingTargetPath);
      });
      return {};
    },
    async NodePublishVolume({ volumeId, stagingTargetPath, targetPath, volumeCapability, readonly }) {
      requireFields({
        ...{ "volume id": volumeId, "target path": targetPath, "staging target path": stagingTargetPath },
        "volume capability": volumeCapability,
      });
      requireSupported([volumeCapability!], context);
      await found(context, volumeId);
      const readOnly = readonly || volumeCapability!.accessMode?.mode.endsWith("READER_ONLY") === true;
      await serial(volumeId, async () => {
        const source = volumeCapability!.block ? deviceIn(stagingTargetPath) : stagingTargetPath;
        if (!(await mounts.isMounted(source)))
          throw new RpcError("FAILED_PRECONDITION", `volume ${volumeId} is not staged at ${stagingTargetPath}`);
        const mode = volumeCapability!.accessMode?.mode;
        const others = (await mounts.placesOf(source)).filter((path) => path !== targetPath);
        if (mode === "SINGLE_NODE_SINGLE_WRITER" && others.length > 0)
          throw new RpcError("FAILED_PRECONDITION", `volume ${volumeId} may have one writer, which is at ${others[0]}`);
        await mounts.bind(source, targetPath, { readOnly });
      });
      return {};
    },
    async NodeUnpublishVolume({ volumeId, targetPath }) {
      requireFields({ "volume id": volumeId, "target path": targetPath });
      await serial(volumeId, () => mounts.unmount(targetPath));
      return {};
    },
    async NodeGetVolumeStats({ volumeId, volumePath }) {
      requireFields({ "volume id": volumeId, "volume path": volumePath });
      const volume = await found(context, volumeId);
      const isThere = await stat(volumePath).then(
        () => true,
        () => false,
      );
      if (!isThere) throw new RpcError("NOT_FOUND", `there is nothing at ${volumePath}`);
      return { usage: await usageOf(volume, volumePath) };
    },
    ...nodeHealthHandlers(context),
    async NodeExpandVolume({ volumeId, volumePath, stagingTargetPath, capacityRange, volumeCapability }) {
      requireFields({ "volume id": volumeId, "volume path": volumePath });
      sizeRange(capacityRange);
      const volume = await found(context, volumeId);
      const target = stagingTargetPath || volumePath;
      if (volume.backing === "folder") return { capacityBytes: volume.capacityBytes };
      const image = join(store.volumes.dataOf(volumeId), imageFile);
      await serial(volumeId, () => (volumeCapability?.block ? mounts.growDevice(image) : mounts.growImage(target)));
      return { capacityBytes: volume.capacityBytes };
    },
  };
}
