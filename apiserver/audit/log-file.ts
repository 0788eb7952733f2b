// The audit log: lines appended to a file in batches, which never block a request. A full file is renamed after the
// time, as kube-apiserver does, and old ones are removed.
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { World } from "../../machinery/world.ts";

/** Where the log is, and what is kept of it. */
export interface AuditLogOptions {
  /** A file, or `-` for standard output. */
  readonly path: string;
  /** The size in MiB at which a file is full. */
  readonly maxSizeMiB: number;
  /** How many full files are kept; 0 keeps all. */
  readonly maxBackups: number;
  /** For how many days they are kept; 0 keeps them for ever. */
  readonly maxAgeDays: number;
}

/** Lines on their way to a file. */
export interface AuditLog {
  readonly write: (line: string) => void;
  /** Resolves when every line is written. */
  close(): Promise<void>;
}

const mebibyte = 2 ** 20;
const dayMs = 86_400_000;
/** More than this waits only while the disk is stuck: what comes then is lost, and counted. */
const mostWaiting = 64 * mebibyte;

const timestamp = (at: number): string => new Date(at).toISOString().replace("Z", "").replaceAll(":", "-");
/** The time in the name of a full file; undefined for another file. */
function timeIn(name: string, stem: string, extension: string): number | undefined {
  if (!name.startsWith(`${stem}-`) || !name.endsWith(extension)) return undefined;
  const text = name.slice(stem.length + 1, name.length - extension.length);
  if (!/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/.test(text)) return undefined;
  return Date.parse(`${text.slice(0, 11)}${text.slice(11).replaceAll("-", ":")}Z`);
}

/** Files of one log, of which the current one is appended to. */
class Files {
  readonly #options: AuditLogOptions;
  readonly #world: World;
  readonly #names: { readonly folder: string; readonly stem: string; readonly extension: string };
  #handle: FileHandle | undefined;
  #bytes = 0;

  constructor(options: AuditLogOptions, world: World) {
    this.#options = options;
    this.#world = world;
    const extension = extname(options.path);
    this.#names = { folder: dirname(options.path), stem: basename(options.path, extension), extension };
  }
  async append(text: Buffer): Promise<void> {
    if (this.#handle && this.#bytes + text.length > this.#options.maxSizeMiB * mebibyte) await this.#rotate();
    this.#handle ??= await this.#open();
    await this.#handle.appendFile(text);
    this.#bytes += text.length;
  }
  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
  async #open(): Promise<FileHandle> {
    await mkdir(this.#names.folder, { recursive: true, mode: 0o700 });
    const handle = await open(this.#options.path, "a", 0o600);
    this.#bytes = (await handle.stat()).size;
    return handle;
  }
  async #rotate(): Promise<void> {
    const { folder, stem, extension } = this.#names;
    await this.close();
    await rename(this.#options.path, join(folder, `${stem}-${timestamp(this.#world.clock.now())}${extension}`));
    await this.#removeOld();
  }
  async #removeOld(): Promise<void> {
    const { folder, stem, extension } = this.#names;
    const { maxBackups, maxAgeDays } = this.#options;
    const full = (await readdir(folder))
      .map((name) => ({ name, at: timeIn(name, stem, extension) }))
      .filter((file): file is { name: string; at: number } => file.at !== undefined)
      .toSorted((a, b) => b.at - a.at);
    const oldest = maxAgeDays === 0 ? 0 : this.#world.clock.now() - maxAgeDays * dayMs;
    const old = full.filter(({ at }, i) => at < oldest || (maxBackups > 0 && i >= maxBackups));
    await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
  }
}

/** How long to wait before lines are tried again that could not be written. */
const retryMs = 1000;

/** Lines that wait for the file, up to a bound. */
class Queue {
  #lines: string[] = [];
  #length = 0;
  #lost = 0;
  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }
  add(line: string): void {
    if (this.#length > mostWaiting) {
      this.#lost++;
      return;
    }
    this.#lines.push(line);
    this.#length += line.length;
  }
  /** All of them at once, and how many were lost since the last time. */
  take(): { readonly text: Buffer; readonly lost: number } {
    const taken = { text: Buffer.from(this.#lines.join("")), lost: this.#lost };
    this.#lines = [];
    [this.#length, this.#lost] = [0, 0];
    return taken;
  }
}

/** Appends lines to a file, as many at once as have come since the last time. */
export function auditLog(options: AuditLogOptions, world: World): AuditLog {
  if (options.path === "-") return { write: (line) => void process.stdout.write(line), close: async () => {} };
  const files = new Files(options, world);
  const queue = new Queue();
  const closing = new AbortController();
  let writing: Promise<void> | undefined;
  /** Tries again until the file takes it, or the log closes. */
  const append = async (text: Buffer): Promise<void> => {
    for (;;) {
      try {
        return await files.append(text);
      } catch (e) {
        world.log("the audit log cannot be written", { error: (e as Error).message, path: options.path });
        if (closing.signal.aborted) return;
        await world.clock.sleep(retryMs, closing.signal).catch(() => {});
      }
    }
  };
  const drain = async (): Promise<void> => {
    while (!queue.isEmpty) {
      const { text, lost } = queue.take();
      if (lost > 0) world.log("audit events were lost", { error: "the log could not keep up", lost });
      await append(text);
    }
    writing = undefined;
  };
  return {
    write(line) {
      queue.add(line);
      writing ??= Promise.resolve().then(drain);
    },
    async close() {
      closing.abort();
      while (writing) await writing;
      await files.close();
    },
  };
}
