// File systems on block devices that persistent volumes of type `local` name: mounted once on the node, and shown from
// there to each pod, in the layout of Kubernetes' kubelet. What is mounted is read from the mount table, so that a
// kubelet that was killed finds it again. Source: the API reference, LocalVolumeSource.
import { existsSync } from "node:fs";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { PersistentVolume } from "../../api/generated/types.ts";
import { mountTable } from "../../machinery/mount-table.ts";
import { runProgram } from "../../machinery/run-program.ts";
import { serial } from "../../machinery/serial.ts";
import { podFolder } from "./paths.ts";

const mountsRoot = (stateDir: string): string => join(stateDir, "plugins", "kubernetes.io", "local-volume", "mounts");
const targetOf = (stateDir: string, podUid: string, volume: string): string =>
  join(podFolder(stateDir, podUid), "volumes", "kubernetes.io~local-volume", volume);

/** Where a pod finds a volume: at its path, or where the file system of its device is mounted for the pod. */
export function localPath(stateDir: string, podUid: string, { metadata, spec }: PersistentVolume): string {
  const target = targetOf(stateDir, podUid, metadata.name);
  return existsSync(target) ? target : spec.local!.path;
}

export interface LocalDevices {
  /** Mounts the file system of the volume's device for a pod, and makes one in an empty device. Idempotent. */
  mount(podUid: string, pv: PersistentVolume): Promise<string>;
  /** Unmounts the devices that are mounted for no pod. */
  unmountUnused(): Promise<void>;
}

/** The type of the file system, or of other content, of a device; undefined for an empty device. */
async function contentOf(device: string): Promise<string | undefined> {
  // Exits with 2 when there is nothing that it knows.
  const probe = `blkid -p -s TYPE -s PTTYPE -o value "$0" || [ $? -eq 2 ]`;
  return (await runProgram("sh", ["-c", probe, device])).split("\n")[0] || undefined;
}

async function mountDevice({ spec }: PersistentVolume, target: string): Promise<void> {
  const { path, fsType = "ext4" } = spec.local!;
  const content = await contentOf(path);
  const rest = content === undefined ? "" : `; it has ${content}`;
  if (content === undefined)
    await runProgram(`mkfs.${fsType}`, fsType.startsWith("ext") ? ["-q", "-F", "-m0", path] : [path]);
  await mkdir(target, { recursive: true, mode: 0o750 });
  const options = ["defaults", ...(spec.mountOptions ?? [])].join(",");
  await runProgram("mount", ["-t", fsType, "-o", options, path, target]).catch((e: Error) => {
    const failed = `local: failed to mount device ${path} at ${target} (fstype: ${fsType})`;
    throw new Error(`${failed}, error ${e.message}${rest}`);
  });
}

/** The devices of a node. */
export function localDevices(stateDir: string): LocalDevices {
  const oneAtATime = serial();
  const root = mountsRoot(stateDir);
  const isMounted = async (path: string): Promise<boolean> =>
    (await mountTable()).some(({ target }) => target === path);

  const unmountIfUnused = async (volume: string): Promise<void> => {
    const path = join(root, volume);
    const table = await mountTable();
    const mounted = table.findLast(({ target }) => target === path);
    const isUsed = table.some(({ content, target }) => content === mounted?.content && target !== path);
    if (mounted && isUsed) return;
    if (mounted) await runProgram("umount", [path]);
    await rmdir(path);
  };
  return {
    mount: (podUid, pv) =>
      oneAtATime(pv.metadata.name, async () => {
        const [path, target] = [join(root, pv.metadata.name), targetOf(stateDir, podUid, pv.metadata.name)];
        if (!(await isMounted(path))) await mountDevice(pv, path);
        await mkdir(target, { recursive: true, mode: 0o750 });
        if (!(await isMounted(target))) await runProgram("mount", ["--bind", path, target]);
        return target;
      }),
    async unmountUnused() {
      const volumes = await readdir(root).catch(() => []);
      for (const volume of volumes) await oneAtATime(volume, () => unmountIfUnused(volume));
    },
  };
}
