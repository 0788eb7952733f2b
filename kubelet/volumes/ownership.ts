// Gives a volume to the group of a pod, as `fsGroup` demands: its files belong to the group, which can read and write
// them, and new ones inherit it. Source: the API reference of PodSecurityContext, KEP-695.
import { chmod, lchown, lstat, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { PodSecurityContext } from "../../api/generated/types.ts";

const setGroupId = 0o2000;
const ofFile = 0o660;
const ofFolder = 0o770 | setGroupId;

async function giveEntry(path: string, group: number): Promise<void> {
  const entry = await lstat(path);
  const { uid, gid, mode } = entry;
  if (gid !== group) await lchown(path, uid, group);
  // A link has no mode of its own.
  if (entry.isSymbolicLink()) return;
  const targetMode = (mode & 0o7777) | (entry.isDirectory() ? ofFolder : ofFile);
  // Also after a change of the owner, by which the kernel may clear bits.
  if (targetMode !== (mode & 0o7777) || gid !== group) await chmod(path, targetMode);
}

/** The root comes last, so that an interrupted change is not taken for a complete one. */
async function giveTree(root: string, group: number): Promise<void> {
  const entries = await readdir(root, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(root, entry.name);
    await (entry.isDirectory() ? giveTree(path, group) : giveEntry(path, group));
  }
  await giveEntry(root, group);
}

async function isGiven(root: string, group: number): Promise<boolean> {
  const { gid, mode } = await lstat(root);
  return gid === group && (mode & ofFolder) === ofFolder;
}

/** Changes the volume at `path` for the security context of a pod; without an `fsGroup` it stays as it is. */
export async function giveToGroup(path: string, context: PodSecurityContext = {}): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = context;
  if (fsGroup === undefined) return;
  const root = await realpath(path);
  if (fsGroupChangePolicy === "OnRootMismatch" && (await isGiven(root, fsGroup))) return;
  await giveTree(root, fsGroup);
}
