// Restores a snapshot: into the cluster it is of, into another one, or into a new one that is made for it.
import { existsSync } from "node:fs";
import { nodes } from "../../api/core/nodes.ts";
import type { Archive } from "../../apiserver/snapshots/archive.ts";
import { archiveLines } from "../../apiserver/snapshots/archive.ts";
import { prefixOf } from "../../apiserver/registry/codec.ts";
import { CliError } from "../cli-error.ts";
import { connect } from "../client/access.ts";
import { readState } from "../cluster/state.ts";
import { up } from "../cluster/up.ts";
import { kubeconfigPath } from "../paths.ts";
import type { Io } from "../progress.ts";
import type { ArchivedCluster } from "./cluster-files.ts";

/** The names of the nodes that have objects in an archive. */
export const archivedNodes = ({ entries }: Pick<Archive, "entries">): readonly string[] =>
  entries.filter(({ key }) => key.startsWith(prefixOf(nodes))).map(({ key }) => key.slice(key.lastIndexOf("/") + 1));

const inOrder = (names: readonly string[]): readonly string[] =>
  names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));

/** Which node of the cluster takes the place of which archived one: by their order, if any name differs. Pure. */
export function renames(
  archived: readonly string[],
  present: readonly string[],
): readonly (readonly [string, string])[] {
  const missing = inOrder(archived.filter((name) => !present.includes(name)));
  const free = inOrder(present.filter((name) => !archived.includes(name)));
  return missing.flatMap((name, i) => (free[i] === undefined ? [] : [[name, free[i]] as const]));
}

/** Makes a cluster as the archived one was made, with its keys. */
async function makeCluster(name: string, archived: ArchivedCluster, io: Io, signal: AbortSignal): Promise<void> {
  const { state, keys } = archived;
  if (!state || !keys)
    throw new CliError(
      `there is no cluster named "${name}", and the snapshot does not say how to make one`,
      `Start one with: orrery up --name ${name}, or orrery server --name ${name}`,
    );
  const { store, packing, schedulerConfig, auditPolicy, tracing, history, rebalances, maxNodes, workers } = state;
  const { metricsRetentionMs = 0 } = state;
  const { cpus, memoryBytes } = workers[0]!;
  const options = {
    ...{ name, keys, store, packing, schedulerConfig, auditPolicy, tracing, history },
    ...{ maxNodes, cpus, memoryBytes, metricsRetentionMs },
    ...{ nodes: workers.filter(({ added }) => !added).length, rebalances: rebalances === true },
    ...{ controlPlanes: 1 + (state.furtherControlPlanes?.length ?? 0), timeoutMs: 120_000, keep: false },
  };
  await up(options, io, signal);
}

/** Resolves with the nodes that others took the place of, and how many entries the cluster has. */
export async function restore(
  name: string,
  archive: Archive,
  io: Io,
  signal: AbortSignal,
): Promise<{ readonly renamed: readonly (readonly [string, string])[]; readonly entries: number }> {
  const archived = (archive.header.cluster ?? { name: "" }) as ArchivedCluster;
  if (!existsSync(kubeconfigPath(name))) await makeCluster(name, archived, io, signal);
  const state = await readState(name);
  const server = await connect(name);
  const present = await server.list<{ readonly metadata: { readonly name: string } }>("/api/v1/nodes");
  const names = present.map(({ metadata }) => metadata.name);
  const renamed = state ? renames(archivedNodes(archive), names) : [];
  const query = new URLSearchParams(renamed.map((pair) => ["rename", pair.join(":")])).toString();
  // The server needs the objects, not the keys of the cluster they were in.
  const { cluster: _, ...header } = archive.header;
  const { body } = await server.request<{ readonly entries: number }>({
    ...{ method: "POST", path: `/snapshot${query === "" ? "" : `?${query}`}`, contentType: "application/octet-stream" },
    body: [...archiveLines({ ...archive, header })].join(""),
  });
  return { renamed, entries: body.entries };
}
