// Volumes and snapshots of a driver as folders on disk: each has its record beside its data, and is complete or absent.
// Several drivers may share one store, as those of the nodes do behind a shared folder.
import { mkdir, open, readFile, readdir, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../machinery/run-program.ts";

/** `folder`: a folder without a limit of its own. `image`: a sparse file with a file system, which has the size. */
export type Backing = "folder" | "image";

export type ContentSource = { readonly snapshotId: string } | { readonly volumeId: string };
/** What can change while a volume is used. */
export interface VolumeAttributes {
  /** How far the kernel reads ahead; its own value unless set. */
  readonly readAheadKiB?: number;
}
export interface StoredVolume {
  readonly id: string;
  readonly name: string;
  readonly capacityBytes: number;
  readonly backing: Backing;
  readonly source?: ContentSource;
  readonly attributes?: VolumeAttributes;
}
export interface StoredSnapshot {
  readonly id: string;
  readonly name: string;
  readonly volumeId: string;
  readonly backing: Backing;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** One of the two collections. Entries are in the order of their ids. */
export interface Collection<T extends { readonly id: string }> {
  get(id: string): Promise<T | undefined>;
  list(): Promise<readonly T[]>;
  /**
   * Adds an entry, whose data `fill` writes into an empty folder. When another process has added one with this id, that
   * is returned and `fill`'s is dropped.
   */
  add(entry: T, fill: (folder: string) => Promise<void>): Promise<T>;
  /** Replaces the record. */
  update(entry: T): Promise<void>;
  /** Removes the entry and its data, if it is there. */
  remove(id: string): Promise<void>;
  /** The folder of an entry's data. */
  dataOf(id: string): string;
}

const recordFile = "record.json";
const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";
const isTaken = (error: unknown): boolean =>
  ["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "");

async function writeRecord(folder: string, record: object): Promise<void> {
  const incomplete = join(folder, `${recordFile}.new`);
  const file = await open(incomplete, "w");
  try {
    await file.writeFile(JSON.stringify(record));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(incomplete, join(folder, recordFile));
}

async function readRecord<T>(folder: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, recordFile), "utf8")) as T;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

// Ids come from requests and become names of folders.
const isId = (id: string): boolean => /^[\w-]+$/.test(id);

let additions = 0;

function collection<T extends { readonly id: string }>(root: string, trash: string): Collection<T> {
  const folderOf = (id: string): string => join(root, id);
  const get = async (id: string): Promise<T | undefined> => (isId(id) ? readRecord<T>(folderOf(id)) : undefined);
  return {
    get,
    dataOf: (id) => join(folderOf(id), "data"),
    async list() {
      const names = (await readdir(root)).toSorted();
      const entries = await Promise.all(names.map(get));
      return entries.filter((entry): entry is Awaited<T> & T => entry !== undefined);
    },
    async add(entry, fill) {
      const incomplete = join(trash, `${entry.id}.${process.pid}.${additions++}`);
      const data = join(incomplete, "data");
      try {
        await mkdir(data, { recursive: true });
        await fill(data);
        await writeRecord(incomplete, entry);
        await rename(incomplete, folderOf(entry.id));
        return entry;
      } catch (error) {
        const other = isTaken(error) ? await get(entry.id) : undefined;
        if (other === undefined) throw error;
        return other;
      } finally {
        await rm(incomplete, { recursive: true, force: true });
      }
    },
    update: (entry) => writeRecord(folderOf(entry.id), entry),
    async remove(id) {
      if (!isId(id)) return;
      // Out of sight at once: a removal that is cut off leaves nothing that looks like a volume.
      const removed = join(trash, `${id}.${process.pid}.${additions++}`);
      try {
        await rename(folderOf(id), removed);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      await rm(removed, { recursive: true, force: true });
    },
  };
}

export interface VolumeStore {
  readonly root: string;
  readonly volumes: Collection<StoredVolume>;
  readonly snapshots: Collection<StoredSnapshot>;
  /** Bytes that new volumes may have: what is free, and never more than the capacity less that of the other volumes. */
  availableBytes(): Promise<number>;
}

/** Opens the store, and removes what interrupted additions and removals of this node left. */
export async function openStore(root: string, node: string): Promise<VolumeStore> {
  const trash = join(root, "incomplete", node);
  const parts = [join(root, "volumes"), join(root, "snapshots")] as const;
  await rm(trash, { recursive: true, force: true });
  for (const folder of [trash, ...parts]) await mkdir(folder, { recursive: true });
  const volumes = collection<StoredVolume>(parts[0], trash);
  return {
    root,
    volumes,
    snapshots: collection<StoredSnapshot>(parts[1], trash),
    async availableBytes() {
      const { bavail, blocks, bsize } = await statfs(root);
      const promised = (await volumes.list()).reduce((sum, volume) => sum + volume.capacityBytes, 0);
      return Math.max(0, Math.min(bavail * bsize, blocks * bsize - promised));
    },
  };
}

/** The name of the file that holds the file system of a volume with backing `image`. */
export const imageFile = "volume.img";

/** Copies data between volumes and snapshots; holes of sparse files stay holes. */
export async function copyData(from: string, to: string): Promise<void> {
  await runProgram("cp", ["--archive", "--sparse=always", "--reflink=auto", `${from}/.`, to]);
}
