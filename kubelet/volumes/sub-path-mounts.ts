// Sub-paths of volumes as mounts in the folder of their pod, in the layout of Kubernetes' kubelet. Containers cannot
// redirect these, while the engine resolves paths when a container starts, long after the sub-path was checked.
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { mountsBelow, mountTable } from "../../machinery/mount-table.ts";
import { runProgram } from "../../machinery/run-program.ts";
import { podFolder } from "./paths.ts";

const root = (stateDir: string, podUid: string): string => join(podFolder(stateDir, podUid), "volume-subpaths");

/** Which mount of which container shows the sub-path. */
export interface SubPathMount {
  readonly podUid: string;
  readonly volume: string;
  readonly container: string;
  /** Its index among the mounts of the container. */
  readonly index: number;
}

export interface SubPathMounts {
  /** Mounts an open file or folder. Resolves with the path, which stays the same for every run of the container. */
  mount(opened: FileHandle, at: SubPathMount): Promise<string>;
  /** Unmounts those of a pod, whose volumes cannot be unmounted before. */
  unmountAll(podUid: string): Promise<void>;
}

/** Whether what is mounted there is the open file. */
async function shows(target: string, opened: FileHandle): Promise<boolean> {
  const [there, expected] = [await stat(target), await opened.stat()];
  return there.dev === expected.dev && there.ino === expected.ino;
}

/** Makes an empty folder or file to mount at. One of the other type is what an earlier run of the container had. */
async function makePlace(target: string, isFolder: boolean): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found && found.isDirectory() !== isFolder) await (isFolder ? unlink(target) : rmdir(target));
  await mkdir(isFolder ? target : dirname(target), { recursive: true, mode: 0o750 });
  if (!isFolder) await writeFile(target, "", { flag: "a", mode: 0o640 });
}

/** The mounts of a node's pods. */
export const subPathMounts = (stateDir: string): SubPathMounts => ({
  async mount(opened, { podUid, volume, container, index }) {
    const target = join(root(stateDir, podUid), volume, container, String(index));
    const isMounted = mountsBelow(await mountTable(), target).includes(target);
    if (isMounted && (await shows(target, opened))) return target;
    if (isMounted) await runProgram("umount", [target]);
    await makePlace(target, (await opened.stat()).isDirectory());
    // Canonicalized, the path of the open file would be that of its name.
    const source = `/proc/${process.pid}/fd/${opened.fd}`;
    await runProgram("mount", ["--no-canonicalize", "--bind", source, target]);
    return target;
  },
  async unmountAll(podUid) {
    const folder = root(stateDir, podUid);
    if (!existsSync(folder)) return;
    for (const target of mountsBelow(await mountTable(), folder)) await runProgram("umount", [target]);
  },
});
