// Replaces all files of a volume atomically: the names a container opens are symbolic links through `..data`, and
// renaming that one link switches all of them.
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VolumeFile, VolumeFiles } from "./content.ts";

const dataLink = "..data";

async function same(path: string, file: VolumeFile): Promise<boolean> {
  const [data, info] = await Promise.all([readFile(path).catch(() => undefined), lstat(path).catch(() => undefined)]);
  return data !== undefined && info !== undefined && (info.mode & 0o777) === file.mode && data.equals(file.data);
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(dir.length + 1));
}

async function unchanged(dir: string, files: VolumeFiles): Promise<boolean> {
  const current = join(dir, dataLink);
  const target = await readlink(current).catch(() => undefined);
  if (target === undefined) return false;
  const there = await filesBelow(join(dir, target));
  const desired = Object.keys(files);
  if (there.length !== desired.length || !desired.every((w) => there.includes(w))) return false;
  return (await Promise.all(Object.entries(files).map(([path, file]) => same(join(dir, target, path), file)))).every(
    Boolean,
  );
}

async function writeInto(dir: string, files: VolumeFiles, group: number | undefined): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  for (const [path, file] of Object.entries(files)) {
    const full = join(dir, path);
    await mkdir(dirname(full), { recursive: true, mode: 0o755 });
    await writeFile(full, file.data);
    if (file.owner !== undefined || group !== undefined) await chown(full, file.owner ?? 0, group ?? 0);
    // Set after the creation, where the umask has no effect.
    await chmod(full, file.mode);
  }
}

/** Updates the links at the top of the volume: one per first segment of a path. */
async function relink(dir: string, files: VolumeFiles): Promise<void> {
  const desired = new Set(Object.keys(files).map((path) => path.split("/")[0]!));
  for (const name of desired) await symlink(join(dataLink, name), join(dir, name)).catch(() => {});
  for (const name of await readdir(dir)) if (!name.startsWith("..") && !desired.has(name)) await rm(join(dir, name));
}

const readableByGroup = (files: VolumeFiles): VolumeFiles =>
  Object.fromEntries(Object.entries(files).map(([path, f]) => [path, { ...f, mode: f.mode | 0o440 }]));

/** Makes the folder hold exactly these files. `stamp` names the new version; true when anything changed. */
export async function writeAtomically(
  dir: string,
  desired: VolumeFiles,
  stamp: string,
  group?: number,
): Promise<boolean> {
  const files = group === undefined ? desired : readableByGroup(desired);
  if (await unchanged(dir, files)) return false;
  const version = `..${stamp}`;
  await writeInto(join(dir, version), files, group);
  const old = await readlink(join(dir, dataLink)).catch(() => undefined);
  await symlink(version, join(dir, "..data_tmp"));
  await rename(join(dir, "..data_tmp"), join(dir, dataLink));
  await relink(dir, files);
  if (old !== undefined && old !== version) await rm(join(dir, old), { recursive: true, force: true });
  return true;
}
