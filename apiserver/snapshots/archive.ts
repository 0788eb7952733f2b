// The archive of a cluster: JSON lines. First what it is, then one line per entry of the log, last a hash of all lines
// before it, by which a broken or cut file is recognized.
import { createHash } from "node:crypto";
import { ApiError } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";
import type { Stored } from "../storage/storage.ts";

export interface ArchiveHeader {
  readonly kind: "ClusterSnapshot";
  readonly apiVersion: "orrery.dev/v1";
  /** All entries are as they were at this revision. */
  readonly revision: Revision;
  readonly time: string;
  readonly entries: number;
  /** What the command line adds: the cluster's name and nodes, and the files of keys and certificates by their path. */
  readonly cluster?: object;
}
interface Line {
  readonly key: string;
  readonly created: number;
  readonly modified: number;
  /** The object as it is stored. */
  readonly value: string;
}
export interface Archive {
  readonly header: ArchiveHeader;
  readonly entries: readonly Stored[];
}

const refused = (because: string): ApiError =>
  new ApiError("BadRequest", `the snapshot cannot be used, nothing was changed: ${because}`);

/** The lines of an archive, each with its line break. */
export function* archiveLines({ header, entries }: Archive): Generator<string> {
  const hash = createHash("sha256");
  const hashed = (value: object): string => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    return line;
  };
  yield hashed({ ...header, entries: entries.length });
  for (const { key, value, created, modified } of entries) {
    const line: Line = { key, created, modified, value: Buffer.from(value).toString("utf8") };
    yield hashed(line);
  }
  yield `${JSON.stringify({ sha256: hash.digest("hex") })}\n`;
}

function parsed<T>(line: string, number: number): T {
  try {
    return JSON.parse(line) as T;
  } catch {
    throw refused(`line ${number} is no JSON; the file is cut off or was changed`);
  }
}

/** Whether a value is an object with a kind and a name, or empty, as a claim of a node port is. */
function isStoredValue(value: unknown, number: number): boolean {
  if (typeof value !== "string") return false;
  if (value === "") return true;
  const object = parsed<Record<string, unknown> | null>(value, number);
  return typeof object?.["kind"] === "string" && typeof object["metadata"] === "object";
}

/** The entry in a line. */
function entryIn(line: string, number: number): Stored {
  const { key, created, modified, value } = parsed<Line>(line, number);
  const isEntry = /^\/[^/]*\/./.test(key ?? "") && Number.isSafeInteger(created) && Number.isSafeInteger(modified);
  if (!isEntry || !isStoredValue(value, number)) throw refused(`line ${number} is no entry`);
  return { key, value: Buffer.from(value), created: revision(created), modified: revision(modified) };
}

/** Reads an archive. Throws BadRequest for one that is not complete, that was changed, or that is none. */
export function readArchive(text: string): Archive {
  const end = text.lastIndexOf("\n", text.length - 2) + 1;
  if (end === 0 || !text.endsWith("\n")) throw refused("the file is cut off, or no snapshot");
  const lines = text.slice(0, end).split("\n").slice(0, -1);
  const header = parsed<ArchiveHeader>(lines[0]!, 1);
  if (header.kind !== "ClusterSnapshot") throw refused("it is no snapshot of a cluster");
  if (header.apiVersion !== "orrery.dev/v1") throw refused(`its version is ${header.apiVersion}, not orrery.dev/v1`);
  const { sha256 } = parsed<{ readonly sha256?: string }>(text.slice(end), lines.length + 1);
  if (sha256 === undefined) throw refused("the file is cut off: its last line, the hash, is missing");
  if (sha256 !== createHash("sha256").update(text.slice(0, end)).digest("hex"))
    throw refused("its contents do not have its hash: the file was changed or damaged");
  const entries = lines.slice(1).map((line, i) => entryIn(line, i + 2));
  if (entries.length !== header.entries) throw refused(`it has ${entries.length} entries, not ${header.entries}`);
  return { header, entries };
}
