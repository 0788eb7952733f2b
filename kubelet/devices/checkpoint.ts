// What the kubelet keeps on disk about claims for devices: which were given to drivers to prepare, for which pods, and
// what the drivers returned. It is written before the first call and after the last, so that a kubelet that was killed
// in between finds every claim again.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A device as its driver has prepared it. */
export interface PreparedDevice {
  readonly driver: string;
  /** The requests it is for; all when empty. */
  readonly requests: readonly string[];
  readonly cdiDeviceIds: readonly string[];
}
export interface ClaimRecord {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly drivers: readonly string[];
  readonly podUids: readonly string[];
  /** Absent until all drivers have prepared it. */
  readonly devices?: readonly PreparedDevice[];
}

const version = "v1";
const pathIn = (stateDir: string): string => join(stateDir, "dra_manager_state");

/** Nothing when there is no file. */
export function readCheckpoint(stateDir: string): readonly ClaimRecord[] {
  try {
    const stored = JSON.parse(readFileSync(pathIn(stateDir), "utf8")) as { version: string; claims: ClaimRecord[] };
    return stored.version === version ? stored.claims : [];
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw e;
  }
}

/** Replaces the file at once. */
export function writeCheckpoint(stateDir: string, claims: Iterable<ClaimRecord>): void {
  mkdirSync(stateDir, { recursive: true });
  const path = pathIn(stateDir);
  writeFileSync(`${path}.new`, JSON.stringify({ version, claims: [...claims] }), { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}
