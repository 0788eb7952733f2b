// The health of volumes: whether their data are there, and whether their file systems have met errors.
import { readFile, stat, statfs } from "node:fs/promises";
import { basename, join } from "node:path";
import type { controllerService } from "../protocol/controller.ts";
import type { Handlers } from "../protocol/grpc.ts";
import type { VolumeErrorType } from "../protocol/health.ts";
import type { nodeService } from "../protocol/node.ts";
import { type DriverContext, volumeOf } from "./context.ts";
import { page } from "./requests.ts";
import { type StoredVolume, imageFile } from "./volume-store.ts";

interface Problem {
  readonly status: VolumeErrorType;
  readonly reason: string;
  readonly message: string;
}

const dataLoss = (reason: string, message: string): readonly Problem[] => [{ status: "DATA_LOSS", reason, message }];

/** What is wrong with the data as they are stored. */
async function storedProblems({ store }: DriverContext, volume: StoredVolume): Promise<readonly Problem[]> {
  const data = store.volumes.dataOf(volume.id);
  const path = volume.backing === "image" ? join(data, imageFile) : data;
  const found = await stat(path).catch(() => undefined);
  if (!found) return dataLoss("DataMissing", `${path} does not exist`);
  if (volume.backing === "folder" || found.size >= volume.capacityBytes) return [];
  return dataLoss("ImageTruncated", `${path} has ${found.size} of ${volume.capacityBytes} bytes`);
}

/** How often the kernel has found an error in the mounted `ext4` of a device. Source: the kernel's sysfs-fs-ext4. */
async function errorsOf(device: string): Promise<number> {
  return Number(await readFile(`/sys/fs/ext4/${basename(device)}/errors_count`, "utf8").catch(() => "0"));
}

/** What is wrong with the file system of a volume that is staged here. */
async function mountedProblems({ store, mounts }: DriverContext, { id, backing }: StoredVolume) {
  if (backing === "folder") return [];
  const device = await mounts.deviceOf(join(store.volumes.dataOf(id), imageFile));
  const errors = device === undefined ? 0 : await errorsOf(device);
  if (errors === 0) return [];
  const message = `${errors} errors in the file system of ${device}`;
  return [{ status: "DEGRADED", reason: "FileSystemErrors", message } as const];
}

export function controllerHealthHandlers(
  context: DriverContext,
): Pick<Handlers<typeof controllerService>, "ControllerGetVolumeHealth" | "ControllerListVolumeHealth"> {
  const healthOf = async (volume: StoredVolume) => ({
    volumeId: volume.id,
    healthStatuses: await storedProblems(context, volume),
  });
  return {
    async ControllerGetVolumeHealth({ volumeId }) {
      return { volumeHealth: await healthOf(await volumeOf(context, volumeId)) };
    },
    async ControllerListVolumeHealth(request) {
      const all = await Promise.all((await context.store.volumes.list()).map(healthOf));
      return page(
        all.filter(({ healthStatuses }) => healthStatuses.length > 0),
        request,
      );
    },
  };
}

/** Below this part of the disk, sparse files can soon not be written any more. */
const leastFree = 0.02;

export function nodeHealthHandlers(
  context: DriverContext,
): Pick<Handlers<typeof nodeService>, "NodeGetVolumeHealth" | "NodeGetStorageHealth"> {
  return {
    async NodeGetVolumeHealth({ volumeId }) {
      const volume = await volumeOf(context, volumeId);
      const problems = [storedProblems(context, volume), mountedProblems(context, volume)];
      return { volumeHealth: { volumeId, healthStatuses: (await Promise.all(problems)).flat() } };
    },
    async NodeGetStorageHealth() {
      const { bavail, blocks } = await statfs(context.store.root);
      if (bavail >= blocks * leastFree) return { backendHealth: [] };
      const message = `${Math.floor((bavail / blocks) * 100)} percent of the disk behind the volumes are free`;
      return { backendHealth: [{ status: "STORAGE_DEGRADED", reason: "DiskAlmostFull", message }] };
    },
  };
}
