// Files of snapshots: the lines of an archive, compressed, readable by their owner only.
import { open, readFile, rename } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type Archive, archiveLines, readArchive } from "../../apiserver/snapshots/archive.ts";
import { CliError } from "../cli-error.ts";

/** Writes the file in one step: another one of the name is replaced only by a complete one. Resolves with its size. */
export async function writeSnapshot(file: string, archive: Archive): Promise<number> {
  const bytes = await promisify(gzip)([...archiveLines(archive)].join(""));
  const partial = `${file}.partial`;
  try {
    const handle = await open(partial, "w", 0o600);
    try {
      await handle.chmod(0o600);
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    throw new CliError(`${file} cannot be written: ${(error as Error).message}`);
  }
  return bytes.length;
}

/** Reads a file and checks its hash. Throws CliError. */
export async function readSnapshot(file: string): Promise<Archive> {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new CliError(`${file} cannot be read: ${error.message}`);
  });
  const text = await promisify(gunzip)(bytes).catch(() => {
    throw new CliError(`${file} cannot be used, nothing was changed: it is cut off, damaged, or no snapshot`);
  });
  try {
    return readArchive(text.toString("utf8"));
  } catch (error) {
    throw new CliError(`${file}: ${(error as Error).message}`);
  }
}
