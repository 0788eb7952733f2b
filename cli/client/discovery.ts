// What the server serves, with a cache on disk.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { realWorld } from "../../machinery/real-world.ts";
import type { Connection } from "./connection.ts";
import { servedResources } from "./served-resources.ts";
import { type Resource, resourceNamed, resourceOfKind, resourcesNamed } from "./resources.ts";

/** Age after which a cached discovery is read again: that of kubectl's cache. */
const maxAgeMs = 6 * 3_600_000;

/** The cache of a server, beside kubectl's own. */
const cacheFile = (server: string, cacheDir: string | undefined): string =>
  join(
    cacheDir ?? join(homedir(), ".kube", "cache"),
    "discovery",
    server.replace(/^https?:\/\//, "").replaceAll(/[^\w/.]/g, "_"),
    "orrery-resources.json",
  );

// Synchronous, as the command has nothing else to do, and the thread pool would take longer to start than to read.
function readCache(file: string): readonly Resource[] | undefined {
  try {
    const { mtimeMs } = statSync(file);
    if (realWorld(() => {}).clock.now() - mtimeMs > maxAgeMs) return undefined;
    return JSON.parse(readFileSync(file, "utf8")) as readonly Resource[];
  } catch {
    // Missing, or truncated by a full disk: read again from the server.
    return undefined;
  }
}

/** Writes the cache atomically. A cache that cannot be written is not used. */
function writeCache(file: string, resources: readonly Resource[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(resources));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A read-only home, for example.
  }
}

/** Looks up the resources of a server. The cache is read again when it lacks a name. */
export interface Mapper {
  all(): Promise<readonly Resource[]>;
  /** Reads from the server, and replaces the cache. */
  refresh(): Promise<readonly Resource[]>;
  /** The resource of a name such as `deploy`. Throws CliError when there is none. */
  named(word: string): Promise<Resource>;
  /** The resources of `pods,svc`, or of a category such as `all`. Throws CliError when there is none. */
  allNamed(words: string): Promise<readonly Resource[]>;
  /** The resource of a kind, or undefined. */
  ofKind(apiVersion: string, kind: string): Promise<Resource | undefined>;
}

/** A mapper over the discovery of the connection's server. */
export function mapperOf(api: Connection, cacheDir: string | undefined): Mapper {
  const file = cacheFile(api.access.server, cacheDir);
  let isFresh = false;
  const refresh = async (): Promise<readonly Resource[]> => {
    const resources = await servedResources(api);
    isFresh = true;
    writeCache(file, resources);
    return resources;
  };
  let known: Promise<readonly Resource[]> | undefined;
  const all = (): Promise<readonly Resource[]> => {
    if (known) return known;
    const cached = readCache(file);
    known = cached ? Promise.resolve(cached) : refresh();
    return known;
  };
  /** Looks up in the cache, and once more in the server's discovery if that fails. */
  const find = async <T>(look: (resources: readonly Resource[]) => T): Promise<T> => {
    const resources = await all();
    if (isFresh) return look(resources);
    try {
      const found = look(resources);
      if (found !== undefined) return found;
    } catch {
      // Perhaps served since the cache was written.
    }
    known = refresh();
    return look(await known);
  };
  return {
    all,
    refresh: () => {
      known = refresh();
      return known;
    },
    named: (word) => find((resources) => resourceNamed(word, resources)),
    allNamed: (words) => find((resources) => resourcesNamed(words, resources)),
    ofKind: (apiVersion, kind) => find((resources) => resourceOfKind(apiVersion, kind, resources)),
  };
}
