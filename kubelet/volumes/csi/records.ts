// What the kubelet keeps on disk about CSI volumes, in the layout of Kubernetes' kubelet: a record beside each place
// that a driver mounts at. It is written before the first call and removed after the last, so that a
// kubelet that was killed in between finds every place again.
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { podFolder } from "../paths.ts";
import { sha256 } from "../../../csi/protocol/volume-names.ts";

/** Identifies a volume on its node. */
export interface VolumeId {
  readonly driverName: string;
  readonly volumeHandle: string;
}
/** A volume that a driver provides on the node. */
export interface Provided extends VolumeId {
  /** The name of its persistent volume, or of the pod's volume. */
  readonly specVolID: string;
  /** Absent for a file system. */
  readonly volumeMode?: "Block";
}
/** A volume published to a pod. */
export interface Published extends Provided {
  readonly nodeName: string;
  readonly attachmentID: string;
  readonly volumeLifecycleMode: "Persistent" | "Ephemeral";
}

const recordFile = "vol_data.json";
const podsFolder = (stateDir: string): string => join(stateDir, "pods");
const stagingRoot = (stateDir: string): string => join(stateDir, "plugins", "kubernetes.io", "csi");
const publishedRoot = (stateDir: string, podUid: string): string =>
  join(podFolder(stateDir, podUid), "volumes", "kubernetes.io~csi");

const devicesRoot = (stateDir: string): string => join(stagingRoot(stateDir), "volumeDevices");

/** The folder of a pod's CSI volume. */
export const publishedFolder = (stateDir: string, podUid: string, name: string): string =>
  join(publishedRoot(stateDir, podUid), name);
/** Where a driver mounts the volume for a pod, or puts its device. */
export const targetOf = (stateDir: string, podUid: string, { specVolID, volumeMode }: Provided): string =>
  volumeMode === "Block"
    ? join(devicesRoot(stateDir), "publish", specVolID, podUid)
    : join(publishedFolder(stateDir, podUid, specVolID), "mount");

/** The folder of a staged volume. */
export const stagedFolder = (stateDir: string, { driverName, volumeHandle }: VolumeId): string =>
  join(stagingRoot(stateDir), driverName, sha256(volumeHandle));
/** Where a staged file system is mounted in its folder. */
export const mountIn = (folder: string): string => join(folder, "globalmount");
/** Where a driver mounts the volume on the node; a folder also for a device. */
export const stagingTargetOf = (stateDir: string, volume: Provided): string =>
  volume.volumeMode === "Block"
    ? join(devicesRoot(stateDir), "staging", volume.specVolID)
    : mountIn(stagedFolder(stateDir, volume));

const isMissing = (e: unknown): boolean => (e as NodeJS.ErrnoException).code === "ENOENT";
const orNothing =
  <T>(nothing: T) =>
  (e: unknown): T => {
    if (isMissing(e)) return nothing;
    throw e;
  };

/** Writes the record of a folder atomically. Like what is mounted, it need not survive a crash of the machine. */
export async function writeRecord<T extends VolumeId>(folder: string, record: T): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const incomplete = join(folder, `${recordFile}.new`);
  await writeFile(incomplete, JSON.stringify(record), { mode: 0o600 });
  await rename(incomplete, join(folder, recordFile));
}

/**
 * Removes the folder once nothing is mounted at the target. Fails while something is: what is mounted must not be
 * deleted.
 */
export async function removeRecord(folder: string, target: string): Promise<void> {
  await rmdir(target).catch(orNothing(undefined));
  for (const file of [recordFile, `${recordFile}.new`]) await rm(join(folder, file), { force: true });
  await rmdir(folder).catch(orNothing(undefined));
}

/** A record and its folder. */
export interface Found<T extends VolumeId> {
  readonly folder: string;
  readonly record: T;
}

function parsed<T>(text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch (e) {
    // The machine crashed before the record was on the disk.
    if (e instanceof SyntaxError) return undefined;
    throw e;
  }
}

/** The folders of a folder, with their records; undefined for a folder whose record is not complete. */
async function foldersIn<T>(root: string): Promise<readonly { readonly folder: string; readonly record?: T }[]> {
  const names = await readdir(root).catch(orNothing<string[]>([]));
  return Promise.all(
    names.map(async (name) => {
      const folder = join(root, name);
      const text = await readFile(join(folder, recordFile), "utf8").catch(orNothing(undefined));
      return { folder, record: parsed<T>(text) };
    }),
  );
}

/** The records in the folders of a folder. */
const recordsIn = async <T extends VolumeId>(root: string): Promise<readonly Found<T>[]> =>
  (await foldersIn<T>(root)).flatMap(({ folder, record }) => (record === undefined ? [] : [{ folder, record }]));

/** The volumes published to a pod. */
export const publishedTo = (stateDir: string, podUid: string): Promise<readonly Found<Published>[]> =>
  recordsIn<Published>(publishedRoot(stateDir, podUid));

/** The volumes published to any pod. */
export const allPublished = async (stateDir: string): Promise<readonly Found<Published>[]> =>
  (await Promise.all((await podsOnDisk(stateDir)).map((uid) => publishedTo(stateDir, uid)))).flat();

/** The uids of pods that have a folder. */
export const podsOnDisk = (stateDir: string): Promise<readonly string[]> =>
  readdir(podsFolder(stateDir)).catch(orNothing<string[]>([]));

async function stagingRoots(stateDir: string): Promise<readonly string[]> {
  const root = stagingRoot(stateDir);
  const names = await readdir(root).catch(orNothing<string[]>([]));
  return names.map((driver) => join(root, driver)).filter((folder) => folder !== devicesRoot(stateDir));
}
/** The staged volumes of the node. */
export const allStaged = async (stateDir: string): Promise<readonly Found<Provided>[]> =>
  (await Promise.all((await stagingRoots(stateDir)).map(recordsIn<Provided>))).flat();

/** Folders for staged volumes without a complete record: nothing is mounted in them. */
export const unrecordedStaged = async (stateDir: string): Promise<readonly string[]> =>
  (await Promise.all((await stagingRoots(stateDir)).map(foldersIn<Provided>)))
    .flat()
    .flatMap(({ folder, record }) => (record === undefined ? [folder] : []));

/** The pods that a volume is published to, or is about to be. */
export async function holdersOf(stateDir: string, { driverName, volumeHandle }: VolumeId): Promise<readonly string[]> {
  const uids = await podsOnDisk(stateDir);
  const isHeld = async (uid: string): Promise<boolean> =>
    (await publishedTo(stateDir, uid)).some(
      ({ record }) => record.driverName === driverName && record.volumeHandle === volumeHandle,
    );
  const held = await Promise.all(uids.map(isHeld));
  return uids.filter((_, i) => held[i]);
}
