// A path of the node itself as a volume: made when asked for, refused when it is not what was asked for.
import type { Stats } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { HostPathVolumeSource } from "../../api/generated/types.ts";
import { Unmet } from "../podspec/references.ts";

type Sort = readonly [is: (s: Stats) => boolean, called: string];
const folder: Sort = [(s) => s.isDirectory(), "directory"];
const file: Sort = [(s) => s.isFile(), "file"];
const sorts: Readonly<Record<string, Sort>> = {
  Directory: folder,
  DirectoryOrCreate: folder,
  File: file,
  FileOrCreate: file,
  Socket: [(s) => s.isSocket(), "socket file"],
  CharDevice: [(s) => s.isCharacterDevice(), "character device"],
  BlockDevice: [(s) => s.isBlockDevice(), "block device"],
};

/** The path, once it is there and of the right sort. Without a type it is made a folder if need be, as Docker did. */
export async function prepareHostPath({ path, type = "" }: HostPathVolumeSource): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined && (type === "" || type === "DirectoryOrCreate"))
    await mkdir(path, { recursive: true, mode: 0o755 });
  if (there === undefined && type === "FileOrCreate") {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, "", { flag: "a", mode: 0o644 });
  }
  const sort = sorts[type];
  if (sort === undefined) return path;
  const [is, called] = sort;
  const now = await stat(path).catch(() => undefined);
  if (now === undefined || !is(now)) throw new Unmet(`hostPath type check failed: ${path} is not a ${called}`);
  return path;
}
