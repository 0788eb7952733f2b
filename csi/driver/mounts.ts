// The mount table of a node, as drivers use it. Every change is safe to repeat.
import { existsSync } from "node:fs";
import { mkdir, open, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { mountTable } from "../../machinery/mount-table.ts";
import { runProgram } from "../../machinery/run-program.ts";
import { RpcError } from "../protocol/grpc.ts";

export interface Mounts {
  isMounted(path: string): Promise<boolean>;
  /** The loop device that shows a file; undefined when there is none. */
  deviceOf(file: string): Promise<string | undefined>;
  /** Where the file system in this file is mounted. */
  mountedFrom(file: string): Promise<string | undefined>;
  /** The other paths that show what is mounted at this one. */
  placesOf(path: string): Promise<readonly string[]>;
  /** Whether files can be mounted here. */
  hasLoopDevices(): Promise<boolean>;
  /** Shows a folder or a file at a second path. */
  bind(source: string, target: string, options: { readonly readOnly: boolean }): Promise<void>;
  /** Makes a file system in a file that is not mounted, unless it has one, and lets it fill the file. */
  prepareImage(file: string): Promise<void>;
  /** Mounts the file system in a file, with `ext4` made in it before the first time. */
  mountImage(file: string, target: string, options: { readonly flags: readonly string[] }): Promise<void>;
  /** Shows a file as a block device at a path. */
  attachImage(file: string, target: string): Promise<void>;
  /** Ends {@link attachImage}, if it was begun. */
  detachImage(file: string, target: string): Promise<void>;
  /** Lets the block device of a file have its size, which has grown. */
  growDevice(file: string): Promise<void>;
  /** Writes what the block device of a file has not written yet to the file, if it has one. */
  flush(file: string): Promise<void>;
  /** Sets how far the kernel reads ahead on the block device of a file, if it has one. */
  readAhead(file: string, kibibytes: number): Promise<void>;
  /** Lets the file system that is mounted there fill its image, which has grown. */
  growImage(target: string): Promise<void>;
  /** Runs the action while nothing is written to the file system that is mounted there. */
  frozen<T>(target: string, action: () => Promise<T>): Promise<T>;
  /** Lets writes go on that {@link frozen} of a process that was killed holds back. */
  thaw(): Promise<void>;
  /** Unmounts, if something is mounted there, and removes the folder or file. */
  unmount(target: string): Promise<void>;
}

/** The sizes of a file and of its `ext4`, if any, in full blocks. Source: ext4 disk layout, "Super Block". */
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
    await runProgram("mkfs.ext4", ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", file]);
  } else if (own < ofFile) {
    // resize2fs insists on a check.
    await runProgram("e2fsck", ["-f", "-p", file]);
    await runProgram("resize2fs", [file]);
  }
}

/** Kernels let `ext4` grow while it is mounted only for CAP_SYS_RESOURCE, which a container may lack. */
const isAboutPrivileges = ({ message }: Error): boolean => message.includes("Permission denied");

async function loopDeviceOf(file: string): Promise<string | undefined> {
  const devices = await runProgram("losetup", ["--noheadings", "--output", "NAME", "--associated", file]).catch(
    () => "",
  );
  return devices.split("\n")[0]?.trim() || undefined;
}

/** Makes an empty folder, or an empty file for what is not a folder, to mount something at. */
async function makeLike(source: string, target: string): Promise<void> {
  const isFolder = (await stat(source)).isDirectory();
  await mkdir(isFolder ? target : dirname(target), { recursive: true });
  if (!isFolder) await writeFile(target, "", { flag: "a" });
}

const isMounted = async (path: string): Promise<boolean> => (await mountTable()).some(({ target }) => target === path);
const unmountAll = async (target: string): Promise<void> => {
  while (await isMounted(target)) await runProgram("umount", [target]);
};

/** The images of block volumes: loop devices, bound to the paths where they are used. */
function imageDevices(): Pick<Mounts, "attachImage" | "detachImage" | "growDevice" | "flush" | "readAhead"> {
  return {
    async flush(file) {
      const device = await loopDeviceOf(file);
      if (device !== undefined) await runProgram("blockdev", ["--flushbufs", device]);
    },
    async readAhead(file, kibibytes) {
      const device = await loopDeviceOf(file);
      const sectors = kibibytes * 2;
      if (device !== undefined) await runProgram("blockdev", ["--setra", String(sectors), device]);
    },
    async attachImage(file, target) {
      if (await isMounted(target)) return;
      // It marks the folder as one of a device, before there is a device to be detached.
      await makeLike(file, target);
      const device = (await loopDeviceOf(file)) ?? (await runProgram("losetup", ["--find", "--show", file])).trim();
      await runProgram("mount", ["--bind", device, target]);
    },
    async detachImage(file, target) {
      if (!existsSync(target)) return;
      await unmountAll(target);
      const device = await loopDeviceOf(file);
      if (device !== undefined) await runProgram("losetup", ["--detach", device]);
      await unlink(target);
    },
    async growDevice(file) {
      const device = await loopDeviceOf(file);
      if (device !== undefined) await runProgram("losetup", ["--set-capacity", device]);
    },
  };
}

/** The mount table of this process. */
export function linuxMounts(): Mounts {
  const unmount = async (target: string): Promise<void> => {
    await unmountAll(target);
    const found = await stat(target).catch(() => undefined);
    if (found) await (found.isDirectory() ? rmdir(target) : unlink(target));
  };
  return {
    isMounted,
    deviceOf: loopDeviceOf,
    async mountedFrom(file) {
      const device = await loopDeviceOf(file);
      return (await mountTable()).find(({ source }) => source === device)?.target;
    },
    async placesOf(path) {
      const all = await mountTable();
      const content = all.findLast(({ target }) => target === path)?.content;
      return all.filter((entry) => entry.content === content && entry.target !== path).map(({ target }) => target);
    },
    hasLoopDevices: () =>
      runProgram("losetup", ["--find"]).then(
        () => true,
        () => false,
      ),
    async bind(source, target, { readOnly }) {
      if (!(await isMounted(target))) {
        await makeLike(source, target);
        await runProgram("mount", ["--bind", source, target]);
      }
      // The kernel ignores "read-only" when a bind mount is made.
      if (readOnly) await runProgram("mount", ["-o", "remount,bind,ro", target]);
    },
    ...imageDevices(),
    prepareImage: prepareFileSystem,
    async mountImage(file, target, { flags }) {
      await mkdir(target, { recursive: true });
      if (await isMounted(target)) return;
      await prepareFileSystem(file);
      await runProgram("mount", ["-o", ["loop", ...flags].join(","), file, target]);
    },
    async growImage(target) {
      const device = (await mountTable()).findLast((entry) => entry.target === target)?.source;
      if (device === undefined) throw new Error(`nothing is mounted at ${target}`);
      await runProgram("losetup", ["--set-capacity", device]);
      await runProgram("resize2fs", [device]).catch((e: Error) => {
        if (!isAboutPrivileges(e)) throw e;
        throw new RpcError(
          "FAILED_PRECONDITION",
          "the node lacks CAP_SYS_RESOURCE: the volume grows when it is next staged",
        );
      });
    },
    async frozen(target, action) {
      await runProgram("fsfreeze", ["--freeze", target]);
      try {
        return await action();
      } finally {
        await runProgram("fsfreeze", ["--unfreeze", target]);
      }
    },
    async thaw() {
      const images = (await mountTable()).filter(({ source }) => source.startsWith("/dev/loop"));
      // Refused for a file system that is not frozen.
      for (const { target } of images) await runProgram("fsfreeze", ["--unfreeze", target]).catch(() => {});
    },
    unmount,
  };
}
