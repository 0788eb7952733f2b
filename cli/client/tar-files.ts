// Local files and folders as a tar archive, and back.
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, lstat, mkdir, readdir, readlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Extract, type Header, type Pack, pack } from "tar-stream";
import { drained } from "../../kubelet/back-pressure.ts";
import { CliError } from "../cli-error.ts";
import { placeOf } from "./copy-paths.ts";

const words: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "not a directory",
  EISDIR: "is a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  EROFS: "read-only file system",
};

/** An error of the file system in Go's words: `open back: is a directory`. */
function fileError(operation: string, path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error : new CliError(`${operation} ${path}: ${words[code] ?? code}`);
}

/** The size of the pieces in which files are read. */
const chunkBytes = 256 * 1024;

/** Called with what is left out. */
type Warn = (text: string) => void;

type NamedHeader = Partial<Header> & Pick<Header, "name">;

function addEntry(archive: Pack, headers: NamedHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry(headers, (error) => (error ? reject(error) : resolve()));
  });
}

/** Adds a file, a link or the files of a folder under this name. Links are not followed. */
async function add(archive: Pack, path: string, name: string, warn: Warn): Promise<void> {
  const stat = await lstat(path);
  const headers = { name, mode: stat.mode & 0o7777, mtime: stat.mtime, uid: stat.uid, gid: stat.gid };
  if (stat.isDirectory()) {
    const files = (await readdir(path)).sort();
    if (files.length === 0) await addEntry(archive, { ...headers, type: "directory" });
    for (const file of files) await add(archive, join(path, file), posix.join(name, file), warn);
  } else if (stat.isSymbolicLink()) {
    await addEntry(archive, { ...headers, type: "symlink", linkname: await readlink(path) });
  } else if (stat.isFile()) {
    const written = Promise.withResolvers<void>();
    const entry = archive.entry({ ...headers, size: stat.size }, (error) =>
      error ? written.reject(error) : written.resolve(),
    );
    // A file that grows meanwhile is copied as long as it was.
    const content = stat.size === 0 ? [] : createReadStream(path, { end: stat.size - 1, highWaterMark: chunkBytes });
    // Reported by the callback; the archive is given up when its reader ends early.
    entry.on("error", () => {});
    written.promise.catch(() => {});
    for await (const chunk of content) {
      if (entry.destroyed) break;
      if (!entry.write(chunk)) await drained(entry);
    }
    entry.end(null);
    await written.promise;
  } else warn(`skipping special file: ${JSON.stringify(path)}`);
}

/** An archive of a file or folder, which has this name in it. */
export async function* packed(path: string, name: string, warn: Warn): AsyncIterable<Buffer> {
  const archive = pack();
  add(archive, path, name, warn).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(fileError("open", path, error) as Error),
  );
  for await (const chunk of archive) yield chunk as Buffer;
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw fileError("mkdir", path, error);
  }
}

async function write(entry: AsyncIterable<unknown>, path: string): Promise<void> {
  try {
    await pipeline(entry, createWriteStream(path));
  } catch (error) {
    throw fileError("open", path, error);
  }
}

export interface Unpacking {
  /** What all names in the archive begin with. */
  readonly prefix: string;
  readonly destination: string;
  /** A command that copies links too, for the first warning about one. */
  readonly linkCommand: string;
  readonly warn: Warn;
}

/**
 * Writes the files of an archive below the destination. Those that would be outside of it and symbolic links are left
 * out with a warning, because a link could lead later files out of it.
 */
export async function unpack(archive: Extract, { prefix, destination, linkCommand, warn }: Unpacking): Promise<void> {
  let hint = ` (consider using "${linkCommand}")`;
  const written = new Map<string, string>();
  for await (const entry of archive) {
    const { name, type, linkname } = entry.header;
    const place = placeOf(name, prefix, destination);
    if (place === undefined) {
      const shown = join(destination, name.slice(prefix.length).replaceAll("\\", "/"));
      warn(`file ${JSON.stringify(shown)} is outside target destination, skipping`);
    } else if (type === "symlink") {
      warn(`skipping symlink: ${JSON.stringify(place)} -> ${JSON.stringify(linkname)}${hint}`);
      hint = "";
    } else {
      await makeFolder(type === "directory" ? place : dirname(place));
      // A hard link has no content of its own: that of an earlier file of the archive is copied.
      const source = type === "link" ? written.get(linkname) : undefined;
      if (source !== undefined) await copyFile(source, place);
      else if (type === "link") warn(`skipping hard link: ${JSON.stringify(place)} -> ${JSON.stringify(linkname)}`);
      else if (type !== "directory") await write(entry, place);
      written.set(name, place);
    }
    entry.resume();
  }
}
