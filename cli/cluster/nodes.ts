// One node at a time: a cluster loses nodes, gets them back, and grows.
import { instant } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../progress.ts";
import { apiCaller, readAccess } from "./api-access.ts";
import type { Worker } from "./config.ts";
import { nodeContainers, removeContainers, removeVolumes, workerCommand } from "./containers.ts";
import { blackholeRanges } from "./host-routes.ts";
import { ensureImages } from "./images.ts";
import { withLock } from "./lock.ts";
import { readAuthority, removeNodeFiles, writeWorkerFiles } from "./node-files.ts";
import { clusterLock, maxWorkers, numberOf, requireState, type Size, workerNumber, writeState } from "./state.ts";
import { run } from "./subprocess.ts";
import { waitUntilReady } from "./up.ts";

const timeoutMs = 60_000;

/** Finds a node by its full name, or by the part after the cluster's: "node-2" or just "2". */
export const nodeNamed = async (cluster: string, text: string): Promise<string> => {
  const names = (await nodeContainers(cluster)).map((container) => container.name);
  const found = [text, `${cluster}-${text}`, `${cluster}-node-${text}`].find((name) => names.includes(name));
  if (found !== undefined) return found;
  throw new CliError(`cluster "${cluster}" has no node "${text}"`, `There are: ${names.join(", ")}.`);
};

const workersNamed = (cluster: string, texts: readonly string[]): Promise<readonly string[]> =>
  Promise.all(texts.map((text) => nodeNamed(cluster, text)));

/** Stops nodes in good order: components hear of it and containers are told to end. */
export const stopNodes = async (cluster: string, texts: readonly string[], io: Io): Promise<void> => {
  const names = await workersNamed(cluster, texts);
  await io.progress.step(`stopped ${names.join(", ")}`, () => run(["docker", "stop", ...names]));
};

/** Cuts the power of nodes. */
export const killNodes = async (cluster: string, texts: readonly string[], io: Io): Promise<void> => {
  const names = await workersNamed(cluster, texts);
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
  const names = await workersNamed(cluster, texts);
  const since = io.clock.now();
  await blackholeRanges();
  await io.progress.step(`started ${names.join(", ")}`, () => run(["docker", "start", ...names]));
  const workers = names.filter((name) => name !== state.controlPlane.name);
  await waitUntilReady(state, { workers, since, timeoutMs }, io, signal);
};

const forget = async (cluster: string, node: string): Promise<void> => {
  const ended = new AbortController();
  try {
    const call = apiCaller(await readAccess(cluster), ended.signal);
    const reply = await call("DELETE", `/api/v1/nodes/${node}`, 5000);
    if (reply.status !== 200 && reply.status !== 404)
      throw new Error(`HTTP ${reply.status}: ${reply.body.slice(0, 200)}`);
  } catch (error) {
    throw new CliError(
      `${node} is removed, but the API server still lists it: ${(error as Error).message}`,
      `Once the server answers: orrery delete node ${node}`,
    );
  } finally {
    ended.abort();
  }
};

/** Removes workers for good: their containers, their volumes, their certificates and their Node objects. */
export const removeNodes = (cluster: string, texts: readonly string[], io: Io): Promise<void> =>
  withLock(clusterLock(cluster), io.clock, async () => {
    const state = await requireState(cluster);
    const names = await workersNamed(cluster, texts);
    if (names.includes(state.controlPlane.name)) {
      throw new CliError(
        "the control plane cannot be removed from its cluster",
        "To remove the whole cluster: orrery down",
      );
    }
    await io.progress.step(`removed ${names.join(", ")}`, async () => {
      await removeContainers(names);
      await removeVolumes(names.map((name) => `${name}-docker`));
      await writeState({ ...state, workers: state.workers.filter((worker) => !names.includes(worker.name)) });
      await Promise.all(names.map((name) => removeNodeFiles(cluster, name)));
      for (const name of names) await forget(cluster, name);
    });
  });

/** Adds workers, numbered after the last one there ever was a place for, and waits until they are Ready. */
export const addNodes = (
  cluster: string,
  wish: Partial<Size> & { readonly count: number },
  io: Io,
  signal: AbortSignal,
): Promise<void> =>
  withLock(clusterLock(cluster), io.clock, async () => {
    const { count } = wish;
    const state = await requireState(cluster);
    const last = Math.max(0, ...state.workers.map(numberOf));
    if (last + count > maxWorkers) throw new CliError(`a cluster has at most ${maxWorkers} nodes`);
    const usual = state.workers[0] ?? { cpus: 1, memoryBytes: 2 ** 30 };
    const wanted: Size = { cpus: wish.cpus ?? usual.cpus, memoryBytes: wish.memoryBytes ?? usual.memoryBytes };
    const fresh: readonly Worker[] = Array.from({ length: count }, (_, i) =>
      workerNumber(cluster, state.subnet, last + 1 + i, wanted),
    );
    const grown = { ...state, workers: [...state.workers, ...fresh] };
    const names = fresh.map((worker) => worker.name);
    await io.progress.step(`added ${names.join(", ")}`, async (note) => {
      await ensureImages(io.clock, note);
      const authority = await readAuthority(cluster, io.clock.now());
      await writeState(grown);
      await Promise.all(fresh.map((worker) => writeWorkerFiles(grown, worker, authority)));
      await Promise.all(fresh.map((worker) => run(workerCommand(grown, worker))));
    });
    await waitUntilReady(grown, { workers: names, since: instant(0), timeoutMs }, io, signal);
  });
