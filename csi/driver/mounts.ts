// The mount table of a node, as drivers use it. Every change is safe to repeat.
import { mkdir, open, readFile, rmdir } from "node:fs/promises";
import { RpcError } from "../protocol/grpc.ts";
import { run } from "./run.ts";

export interface Mounts {
  isMounted(path: string): Promise<boolean>;
  /** Where the file system in this file is mounted. */
  mountedFrom(file: string): Promise<string | undefined>;
  /** The other paths that show what is mounted at this one. */
  placesOf(path: string): Promise<readonly string[]>;
  /** Whether files can be mounted here. */
  hasLoopDevices(): Promise<boolean>;
  /** Shows a folder at a second path. */
  bind(source: string, target: string, options: { readonly readOnly: boolean }): Promise<void>;
  /** Makes a file system in a file that is not mounted, unless it has one, and lets it fill the file. */
  prepareImage(file: string): Promise<void>;
  /** Mounts the file system in a file, with `ext4` made in it before the first time. */
  mountImage(file: string, target: string, options: { readonly flags: readonly string[] }): Promise<void>;
  /** Lets the file system that is mounted there fill its image, which has grown. */
  growImage(target: string): Promise<void>;
  /** Runs the action while nothing is written to the file system that is mounted there. */
  frozen<T>(target: string, action: () => Promise<T>): Promise<T>;
  /** Lets writes go on that {@link frozen} of a process that was killed holds back. */
  thaw(): Promise<void>;
  /** Unmounts, if something is mounted there, and removes the folder. */
  unmount(target: string): Promise<void>;
}

// Octal escapes, as the kernel writes spaces in paths.
const unescaped = (path: string): string =>
  path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

export interface MountEntry {
  /** What is mounted: the device and the folder in it. Places that show the same have the same. */
  readonly content: string;
  readonly target: string;
  /** `/dev/loop0`, for example. */
  readonly source: string;
}

/** The entries of the text of `/proc/self/mountinfo`; a target appears once for each mount on it. Source: proc(5). */
export const mountEntries = (text: string): readonly MountEntry[] =>
  text.split("\n").flatMap((line) => {
    const [own = "", rest = ""] = line.split(" - ");
    const [, , device, root, target] = own.split(" ");
    const [, source] = rest.split(" ");
    if (target === undefined || source === undefined) return [];
    return [{ content: `${device} ${root}`, target: unescaped(target), source: unescaped(source) }];
  });
const entries = async (): Promise<readonly MountEntry[]> =>
  mountEntries(await readFile("/proc/self/mountinfo", "utf8"));

/** The sizes of a file and of its `ext4`, if any, in whole blocks. Source: ext4 disk layout, "Super Block". */
async function fileSystemBytes(file: string): Promise<{ readonly own: number | undefined; readonly ofFile: number }> {
  const handle = await open(file);
  try {
    const superBlock = Buffer.alloc(1024);
    await handle.read(superBlock, 0, superBlock.length, 1024);
    const blockBytes = 1024 << superBlock.readUInt32LE(24);
    const isExt4 = superBlock.readUInt16LE(56) === 0xef53;
    const { size } = await handle.stat();
    return { own: isExt4 ? superBlock.readUInt32LE(4) * blockBytes : undefined, ofFile: size - (size % blockBytes) };
  } finally {
    await handle.close();
  }
}

async function prepareFileSystem(file: string): Promise<void> {
  const { own, ofFile } = await fileSystemBytes(file);
  if (own === undefined) {
    // Nothing is written in advance, and no blocks are kept for root.
    await run("mkfs.ext4", ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", file]);
  } else if (own < ofFile) {
    // resize2fs insists on a check.
    await run("e2fsck", ["-f", "-p", file]);
    await run("resize2fs", [file]);
  }
}

/** Kernels let `ext4` grow while it is mounted only for CAP_SYS_RESOURCE, which a container may lack. */
const isAboutPrivileges = ({ message }: Error): boolean => message.includes("Permission denied");

/** The loop device that shows a file; undefined when there is none. */
async function loopDeviceOf(file: string): Promise<string | undefined> {
  const devices = await run("losetup", ["--noheadings", "--output", "NAME", "--associated", file]).catch(() => "");
  return devices.split("\n")[0]?.trim() || undefined;
}

/** The mount table of this process. */
export function linuxMounts(): Mounts {
  const isMounted = async (path: string): Promise<boolean> => (await entries()).some(({ target }) => target === path);
  return {
    isMounted,
    async mountedFrom(file) {
      const device = await loopDeviceOf(file);
      return (await entries()).find(({ source }) => source === device)?.target;
    },
    async placesOf(path) {
      const all = await entries();
      const content = all.findLast(({ target }) => target === path)?.content;
      return all.filter((entry) => entry.content === content && entry.target !== path).map(({ target }) => target);
    },
    hasLoopDevices: () =>
      run("losetup", ["--find"]).then(
        () => true,
        () => false,
      ),
    async bind(source, target, { readOnly }) {
      await mkdir(target, { recursive: true });
      if (!(await isMounted(target))) await run("mount", ["--bind", source, target]);
      // The kernel ignores "read-only" when a bind mount is made.
      if (readOnly) await run("mount", ["-o", "remount,bind,ro", target]);
    },
    prepareImage: prepareFileSystem,
    async mountImage(file, target, { flags }) {
      await mkdir(target, { recursive: true });
      if (await isMounted(target)) return;
      await prepareFileSystem(file);
      await run("mount", ["-o", ["loop", ...flags].join(","), file, target]);
    },
    async growImage(target) {
      const device = (await entries()).findLast((entry) => entry.target === target)?.source;
      if (device === undefined) throw new Error(`nothing is mounted at ${target}`);
      await run("losetup", ["--set-capacity", device]);
      await run("resize2fs", [device]).catch((e: Error) => {
        if (!isAboutPrivileges(e)) throw e;
        throw new RpcError(
          "FAILED_PRECONDITION",
          "the node lacks CAP_SYS_RESOURCE: the volume grows when it is next staged",
        );
      });
    },
    async frozen(target, action) {
      await run("fsfreeze", ["--freeze", target]);
      try {
        return await action();
      } finally {
        await run("fsfreeze", ["--unfreeze", target]);
      }
    },
    async thaw() {
      const images = (await entries()).filter(({ source }) => source.startsWith("/dev/loop"));
      // Refused for a file system that is not frozen.
      for (const { target } of images) await run("fsfreeze", ["--unfreeze", target]).catch(() => {});
    },
    async unmount(target) {
      while (await isMounted(target)) await run("umount", [target]);
      await rmdir(target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    },
  };
}
