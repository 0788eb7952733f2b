// Adds, stops, starts, kills and removes nodes of a cluster.
import { nodes } from "../../api/core/nodes.ts";
import { ifFound } from "../../api/errors.ts";
import { instant, key } from "../../api/meta.ts";
import { abortedWith } from "../../machinery/abort.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../progress.ts";
import type { Worker } from "./config.ts";
import { readAccess } from "../client/access.ts";
import {
  type NodeContainer,
  nodeContainers,
  removeContainers,
  removeWorkerVolumes,
  workerCommand,
} from "./containers.ts";
import { blackholeRanges } from "./host-routes.ts";
import { ensureImages } from "./images.ts";
import { withLock } from "./lock.ts";
import { forgetVolumes } from "./lost-volumes.ts";
import { readAuthority, removeNodeFiles, writeWorkerFiles } from "./node-files.ts";
import { waitUntilReady } from "./readiness.ts";
import { clusterLock, maxWorkers, numberOf, requireState, type Size, workerNumber, writeState } from "./state.ts";
import { run } from "./subprocess.ts";

const timeoutMs = 60_000;

/** The full names of nodes, each named in full or without the cluster's name: "node-2" or "2". */
export const nodesNamed = async (cluster: string, texts: readonly string[]): Promise<readonly string[]> => {
  const names = (await nodeContainers(cluster)).map((container) => container.name);
  return texts.map((text) => {
    const found = [text, `${cluster}-${text}`, `${cluster}-node-${text}`].find((name) => names.includes(name));
    if (found !== undefined) return found;
    throw new CliError(`cluster "${cluster}" has no node "${text}"`, `There are: ${names.join(", ")}.`);
  });
};

/** The names of the running nodes of a role. Throws CliError when there are none. */
export const runningNodes = async (cluster: string, role: NodeContainer["role"]): Promise<readonly string[]> => {
  const running = (await nodeContainers(cluster)).filter((node) => node.role === role && node.running);
  if (running.length > 0) return running.map((node) => node.name);
  throw new CliError(`no ${role} of cluster "${cluster}" is running`, "Start it with: orrery up");
};

/** Stops nodes gracefully. */
export const stopNodes = async (cluster: string, texts: readonly string[], io: Io): Promise<void> => {
  const names = await nodesNamed(cluster, texts);
  await io.progress.step(`stopped ${names.join(", ")}`, () => run(["docker", "stop", ...names]));
};

/** Kills nodes, like a power failure. */
export const killNodes = async (cluster: string, texts: readonly string[], io: Io): Promise<void> => {
  const names = await nodesNamed(cluster, texts);
  await io.progress.step(`killed ${names.join(", ")}`, () => run(["docker", "kill", ...names]));
};

/** Starts stopped nodes and waits until they are Ready. */
export const startNodes = async (
  cluster: string,
  texts: readonly string[],
  io: Io,
  signal: AbortSignal,
): Promise<void> => {
  const state = await requireState(cluster);
  const names = await nodesNamed(cluster, texts);
  const since = io.clock.now();
  await blackholeRanges();
  await io.progress.step(`started ${names.join(", ")}`, () => run(["docker", "start", ...names]));
  const workers = names.filter((name) => state.workers.some((worker) => worker.name === name));
  await waitUntilReady(cluster, { workers, since, timeoutMs }, io, signal);
};

/**
 * Deletes the Node object, then what is left of the volumes that the node had on its disk. Resolves with the claims
 * whose data are lost.
 */
const deleteNodeObject = async (
  cluster: string,
  node: string,
  interruption: AbortSignal,
): Promise<readonly string[]> => {
  // An open connection would keep this process.
  const { signal, end } = abortedWith(interruption);
  try {
    const { server: url, ca, cert, key: privateKey } = await readAccess(cluster);
    const access = { url, ca, cert, key: privateKey, userAgent: "orrery" };
    const client = httpClient(
      access,
      realWorld(() => {}),
      signal,
    );
    await ifFound(client.delete(nodes, key(undefined, node)));
    return await forgetVolumes(client, node);
  } catch (error) {
    throw new CliError(
      `${node} is removed, but the API server still lists it: ${(error as Error).message}`,
      `Once the server answers: orrery delete node ${node}`,
    );
  } finally {
    end();
  }
};

/** Removes workers: their containers, volumes, certificates and Node objects. */
export const removeNodes = (cluster: string, texts: readonly string[], io: Io, signal: AbortSignal): Promise<void> =>
  withLock(clusterLock(cluster), io.clock, async () => {
    const state = await requireState(cluster);
    const names = await nodesNamed(cluster, texts);
    const other = names.find((name) => !state.workers.some((worker) => worker.name === name));
    if (other !== undefined) {
      const role = (await nodeContainers(cluster)).find(({ name }) => name === other)?.role ?? "control-plane";
      const what = role.replace("-", " ");
      throw new CliError(`the ${what} cannot be removed from its cluster`, "To remove the whole cluster: orrery down");
    }
    const lost = await io.progress.step(`removed ${names.join(", ")}`, async () => {
      await removeContainers(names);
      await removeWorkerVolumes(names);
      await writeState({ ...state, workers: state.workers.filter((worker) => !names.includes(worker.name)) });
      await Promise.all(names.map((name) => removeNodeFiles(cluster, name)));
      const claims: string[] = [];
      for (const name of names) claims.push(...(await deleteNodeObject(cluster, name, signal)));
      return claims;
    });
    if (lost.length > 0) io.progress.say(`Their data went with the disk: claims ${lost.join(", ")}`);
  });

/** Adds workers and waits until they are Ready. By default they have the size of the first worker. */
export const addNodes = (
  cluster: string,
  { count, ...size }: Partial<Size> & { readonly count: number },
  io: Io,
  signal: AbortSignal,
): Promise<void> =>
  withLock(clusterLock(cluster), io.clock, async () => {
    const state = await requireState(cluster);
    const last = Math.max(0, ...state.workers.map(numberOf));
    if (last + count > maxWorkers) throw new CliError(`a cluster has at most ${maxWorkers} nodes`);
    const { cpus, memoryBytes } = state.workers[0] ?? { cpus: 1, memoryBytes: 2 ** 30 };
    const added: readonly Worker[] = Array.from({ length: count }, (_, i) =>
      workerNumber(cluster, state.subnet, last + 1 + i, {
        cpus: size.cpus ?? cpus,
        memoryBytes: size.memoryBytes ?? memoryBytes,
      }),
    );
    const nextState = { ...state, workers: [...state.workers, ...added] };
    const workers = added.map((worker) => worker.name);
    await io.progress.step(`added ${workers.join(", ")}`, async (note) => {
      await ensureImages(io.clock, note);
      const authority = await readAuthority(cluster, io.clock.now());
      await writeState(nextState);
      await Promise.all(added.map((worker) => writeWorkerFiles(nextState, worker, authority)));
      await Promise.all(added.map((worker) => run(workerCommand(nextState, worker))));
    });
    await waitUntilReady(cluster, { workers, since: instant(0), timeoutMs }, io, signal);
  });
