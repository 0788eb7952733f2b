// hostPath volumes: checks the type of the path, and creates it where the type says so.
import type { Stats } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { HostPathVolumeSource } from "../../api/generated/types.ts";
import { Unmet } from "../podspec/references.ts";

type FileType = readonly [is: (s: Stats) => boolean, called: string];
const directory: FileType = [(s) => s.isDirectory(), "directory"];
const file: FileType = [(s) => s.isFile(), "file"];
const types: Readonly<Record<string, FileType>> = {
  Directory: directory,
  DirectoryOrCreate: directory,
  File: file,
  FileOrCreate: file,
  Socket: [(s) => s.isSocket(), "socket file"],
  CharDevice: [(s) => s.isCharacterDevice(), "character device"],
  BlockDevice: [(s) => s.isBlockDevice(), "block device"],
};

/** Resolves with the path; throws `Unmet` for another file type. Without a type a missing path becomes a directory. */
export async function prepareHostPath({ path, type = "" }: HostPathVolumeSource): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined && (type === "" || type === "DirectoryOrCreate"))
    await mkdir(path, { recursive: true, mode: 0o755 });
  if (there === undefined && type === "FileOrCreate") {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, "", { flag: "a", mode: 0o644 });
  }
  const expected = types[type];
  if (expected === undefined) return path;
  const [is, called] = expected;
  const now = await stat(path).catch(() => undefined);
  if (now === undefined || !is(now)) throw new Unmet(`hostPath type check failed: ${path} is not a ${called}`);
  return path;
}
