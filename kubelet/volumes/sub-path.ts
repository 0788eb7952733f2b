// The folder or file of a volume that a mount with `subPath` shows.
import { chmod, lstat, mkdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { Unmet } from "../podspec/references.ts";

function isTaken(e: NodeJS.ErrnoException): false {
  if (e.code !== "EEXIST") throw e;
  return false;
}

/** Resolves a segment of a path, made with this mode if it is missing; undefined for one outside of the root. */
async function step(root: string, parent: string, name: string, mode: number): Promise<string | undefined> {
  const path = join(parent, name);
  const found = await lstat(path).catch((e: NodeJS.ErrnoException) => {
    if (e.code !== "ENOENT") throw e;
    return undefined;
  });
  if (found === undefined) {
    const isMade = await mkdir(path).then(() => true, isTaken);
    // Another container has made it meanwhile.
    if (!isMade) return step(root, parent, name, mode);
    // Set after the creation, where the umask has no effect.
    await chmod(path, mode);
    return path;
  }
  if (!found.isSymbolicLink()) return path;
  // A link to nothing is one outside, too: what it names is not made.
  const real = await realpath(path).catch(() => undefined);
  return real === root || real?.startsWith(`${root}/`) ? real : undefined;
}

/**
 * The path of a sub-path of a volume. Missing folders are made, with the mode of the volume's own. Symbolic links are
 * followed inside the volume only. Throws `Unmet`, whose message names the mount as `what`.
 */
export async function insideVolume(volume: string, subPath: string, what: string): Promise<string> {
  const root = await realpath(volume);
  const mode = (await stat(root)).mode & 0o7777;
  let path: string | undefined = root;
  for (const name of subPath.split("/").filter((segment) => segment !== "" && segment !== ".")) {
    path = await step(root, path, name, mode).catch(() => {
      throw new Unmet(`failed to create subPath directory for ${what}`);
    });
    if (path === undefined) throw new Unmet(`failed to prepare subPath for ${what}`);
  }
  return path;
}
