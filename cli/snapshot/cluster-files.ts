// The keys of a cluster as an archive holds them: its authority, the key of tokens, and that of encrypted objects.
import { readFile } from "node:fs/promises";
import { encryptionFile } from "../cluster/protection.ts";
import type { ClusterKeys } from "../cluster/node-files.ts";
import { type ClusterState, readState } from "../cluster/state.ts";
import { clusterDir } from "../paths.ts";

/** What an archive says of the cluster beside its objects. */
export interface ArchivedCluster {
  readonly name: string;
  /** How it was made; a server that runs alone has none. */
  readonly state?: ClusterState;
  /** Absent when the files of the cluster are not on the machine the archive was made on. */
  readonly keys?: ClusterKeys;
}

const textOf = (...path: readonly string[]): Promise<string | undefined> =>
  readFile(clusterDir(path[0]!, ...path.slice(1)), "utf8").catch(() => undefined);

/** Reads them from the folder of the cluster. */
export async function archivedCluster(name: string): Promise<ArchivedCluster> {
  const state = await readState(name);
  const pki = state ? "pki" : "server";
  const ofServer = state ? ["nodes", state.controlPlane.name] : ["server"];
  const [cert, key, tokens, encryption] = await Promise.all([
    textOf(name, pki, "ca.crt"),
    textOf(name, pki, "ca.key"),
    textOf(name, ...ofServer, "sa.key"),
    textOf(name, ...ofServer, encryptionFile),
  ]);
  const isComplete = cert !== undefined && key !== undefined && tokens !== undefined;
  return {
    name,
    ...(state && { state }),
    ...(isComplete && { keys: { ca: { cert, key }, tokens, ...(encryption !== undefined && { encryption }) } }),
  };
}
