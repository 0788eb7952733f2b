// The mount table of a node, as drivers use it. Every change is safe to repeat.
import { mkdir, readFile, rmdir } from "node:fs/promises";
import { run } from "./run.ts";

export interface Mounts {
  isMounted(path: string): Promise<boolean>;
  /** Where the file system in this file is mounted. */
  mountedFrom(file: string): Promise<string | undefined>;
  /** Whether files can be mounted here. */
  hasLoopDevices(): Promise<boolean>;
  /** Shows a folder at a second path. */
  bind(source: string, target: string, options: { readonly readOnly: boolean }): Promise<void>;
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

/** The mount points in the text of `/proc/self/mounts`; a path appears once for each mount on it. */
export const mountPoints = (text: string): readonly string[] =>
  text.split("\n").flatMap((line) => {
    const [, point] = line.split(" ");
    return point === undefined ? [] : [unescaped(point)];
  });

async function hasFileSystem(file: string): Promise<boolean> {
  return run("blkid", ["--probe", file]).then(
    () => true,
    () => false,
  );
}

/** The targets that findmnt prints for its arguments. */
const findTargets = async (args: readonly string[]): Promise<readonly string[]> =>
  (await run("findmnt", ["--noheadings", "--output", "TARGET", ...args]).catch(() => "")).split("\n").filter(Boolean);

/** The loop device that shows a file; undefined when there is none. */
async function loopDeviceOf(file: string): Promise<string | undefined> {
  const devices = await run("losetup", ["--noheadings", "--output", "NAME", "--associated", file]).catch(() => "");
  return devices.split("\n")[0]?.trim() || undefined;
}

/** The mount table of this process. */
export function linuxMounts(): Mounts {
  const isMounted = async (path: string): Promise<boolean> =>
    mountPoints(await readFile("/proc/self/mounts", "utf8")).includes(path);
  return {
    isMounted,
    async mountedFrom(file) {
      const device = await loopDeviceOf(file);
      return device === undefined ? undefined : (await findTargets(["--source", device]))[0];
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
    async mountImage(file, target, { flags }) {
      await mkdir(target, { recursive: true });
      if (await isMounted(target)) return;
      if (!(await hasFileSystem(file)))
        // Nothing is written in advance, and no blocks are kept for root.
        await run("mkfs.ext4", ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", file]);
      await run("mount", ["-o", ["loop", ...flags].join(","), file, target]);
    },
    async growImage(target) {
      const device = (await run("findmnt", ["--noheadings", "--output", "SOURCE", "--mountpoint", target])).trim();
      await run("losetup", ["--set-capacity", device]);
      await run("resize2fs", [device]);
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
      const mounted = await run("findmnt", ["--noheadings", "--list", "--output", "SOURCE,TARGET"]);
      const targets = [...mounted.matchAll(/^\/dev\/loop\S+ +(.+)$/gm)].map(([, target]) => target!);
      // Refused for a file system that is not frozen.
      for (const target of targets) await run("fsfreeze", ["--unfreeze", target]).catch(() => {});
    },
    async unmount(target) {
      while (await isMounted(target)) await run("umount", [target]);
      await rmdir(target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    },
  };
}
