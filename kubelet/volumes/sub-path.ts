// The folder or file of a volume that a mount with `subPath` shows. Containers may change the volume meanwhile, so it
// is found without paths that they could redirect: every segment is opened relative to the folder before it, and
// symbolic links are never followed by the kernel.
import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, readlink, realpath } from "node:fs/promises";
import { Unmet } from "../podspec/references.ts";

/** A reference to a file, without access to its content. Source: open(2). */
const O_PATH = 0o10000000;
const withoutFollowing = O_PATH | constants.O_NOFOLLOW;
/** As many as the kernel follows. Source: path_resolution(7). */
const mostLinks = 40;

/** A segment of the path. Those that a symbolic link names are not made. */
interface Segment {
  readonly name: string;
  readonly isMade: boolean;
}
const segmentsOf = (path: string, isMade: boolean): readonly Segment[] =>
  path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .map((name) => ({ name, isMade }));

/** The path is outside of the volume, or a link names nothing. */
class Outside extends Error {}

/** A path of an open file that does not depend on its name. */
export const pathOf = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`;

const codeOf = (e: unknown): string | undefined => (e as NodeJS.ErrnoException).code;

/** Opens a segment, made with this mode if it is missing. */
async function openSegment(parent: FileHandle, { name, isMade }: Segment, mode: number): Promise<FileHandle> {
  const path = `${pathOf(parent)}/${name}`;
  try {
    return await open(path, withoutFollowing);
  } catch (e) {
    if (codeOf(e) !== "ENOENT") throw e;
  }
  if (!isMade) throw new Outside();
  try {
    await mkdir(path);
  } catch (e) {
    // Another container has made it meanwhile.
    if (codeOf(e) !== "EEXIST") throw e;
    return openSegment(parent, { name, isMade }, mode);
  }
  const made = await open(path, withoutFollowing);
  // Set after the creation, where the umask has no effect.
  if ((await made.stat()).isDirectory()) await chmod(pathOf(made), mode);
  return made;
}

/** The segments that a link names: relative to its folder, or to the volume for an absolute path in it. */
function linked(target: string, root: string): { readonly isAbsolute: boolean; readonly segments: readonly Segment[] } {
  if (!target.startsWith("/")) return { isAbsolute: false, segments: segmentsOf(target, false) };
  if (target !== root && !target.startsWith(`${root}/`)) throw new Outside();
  return { isAbsolute: true, segments: segmentsOf(target.slice(root.length), false) };
}

/** Walks to the sub-path. `open` has the volume, and at the end what leads to the sub-path and itself. */
async function walk(root: string, subPath: string, opened: FileHandle[]): Promise<void> {
  const mode = (await opened[0]!.stat()).mode & 0o7777;
  const leave = async (count: number): Promise<void> => {
    for (const handle of opened.splice(count)) await handle.close();
  };
  let links = 0;
  for (let rest = segmentsOf(subPath, true); rest[0]; ) {
    const [segment, ...after] = rest;
    rest = after;
    if (segment.name === "..") {
      if (opened.length === 1) throw new Outside();
      await leave(opened.length - 1);
      continue;
    }
    const parent = opened.at(-1)!;
    const found = await openSegment(parent, segment, mode);
    opened.push(found);
    if (!(await found.stat()).isSymbolicLink()) continue;
    if (++links > mostLinks) throw new Outside();
    const { isAbsolute, segments } = linked(await readlink(`${pathOf(parent)}/${segment.name}`), root);
    await leave(isAbsolute ? 1 : opened.length - 1);
    rest = [...segments, ...rest];
  }
}

/**
 * Opens a sub-path of a volume, and passes it to `use`. Missing folders are made, with the mode of the volume's own.
 * Symbolic links are followed inside the volume only. Throws `Unmet`, whose message names the mount as `what`.
 */
export async function withSubPath<T>(
  volume: string,
  subPath: string,
  what: string,
  use: (opened: FileHandle) => Promise<T>,
): Promise<T> {
  const root = await realpath(volume);
  const opened = [await open(root, withoutFollowing)];
  try {
    await walk(root, subPath, opened).catch((e: unknown) => {
      const failed = e instanceof Outside ? "failed to prepare subPath" : "failed to create subPath directory";
      throw new Unmet(`${failed} for ${what}`);
    });
    return await use(opened.at(-1)!);
  } finally {
    for (const handle of opened) await handle.close();
  }
}
