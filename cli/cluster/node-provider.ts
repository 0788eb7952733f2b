// The nodes of a cluster on Docker as a provider for the cluster autoscaler. The state file has every node from before
// its container exists until after it is gone, so that an interrupted creation or removal can be completed.
import type { Clock } from "../../machinery/world.ts";
import type { NodeProvider } from "../../controllers/clusterautoscaler/ports.ts";
import type { Worker } from "./config.ts";
import { nodeContainers, removeContainers, removeWorkerVolumes, workerCommand } from "./containers.ts";
import { withLock } from "./lock.ts";
import { readAuthority, removeNodeFiles, writeWorkerFiles } from "./node-files.ts";
import {
  type ClusterState,
  clusterLock,
  maxWorkers,
  numberOf,
  requireState,
  workerNumber,
  writeState,
} from "./state.ts";
import { run } from "./subprocess.ts";

/** The next workers of a cluster, of the size of the first, with the numbers after the last. */
function nextWorkers({ name, subnet, workers }: ClusterState, count: number): readonly Worker[] {
  const last = Math.max(0, ...workers.map(numberOf));
  const { cpus, memoryBytes } = workers[0]!;
  return Array.from({ length: count }, (_, i) => ({
    ...workerNumber(name, subnet, last + 1 + i, { cpus, memoryBytes }),
    added: true,
  }));
}

/** Removes what there is of a node, its entry last. */
async function clear(cluster: string, worker: Worker): Promise<void> {
  const marked = (w: Worker): Worker => (w.name === worker.name ? { ...w, removing: true } : w);
  const state = await requireState(cluster);
  await writeState({ ...state, workers: state.workers.map(marked) });
  await removeContainers([worker.name]);
  await removeWorkerVolumes([worker.name]);
  await removeNodeFiles(cluster, worker.name);
  await writeState({ ...state, workers: state.workers.filter(({ name }) => name !== worker.name) });
}

/** Completes the creation of a node. One that was started before is left as it is: a user may have stopped it. */
async function complete(state: ClusterState, worker: Worker, clock: Clock): Promise<void> {
  const container = (await nodeContainers(state.name)).find(({ name }) => name === worker.name);
  if (container?.status === "Created") await run(["docker", "start", worker.name]);
  if (container) return;
  await writeWorkerFiles(state, worker, await readAuthority(state.name, clock.now()));
  await run(workerCommand(state, worker));
}

/** The workers of a cluster, which are changed while its lock is held. */
export function dockerNodes(cluster: string, clock: Clock): NodeProvider {
  const locked = <T>(work: (state: ClusterState) => Promise<T>): Promise<T> =>
    withLock(clusterLock(cluster), clock, async () => work(await requireState(cluster)));
  return {
    list: async () => (await requireState(cluster)).workers.map(({ name, added = false }) => ({ name, added })),
    create: (count) =>
      locked(async (state) => {
        const { maxNodes = 0, workers } = state;
        if (workers.length + count > Math.min(maxNodes, maxWorkers))
          throw new Error(`${count} nodes would be more than the ${maxNodes} that are allowed`);
        const added = nextWorkers(state, count);
        const next = { ...state, workers: [...workers, ...added] };
        await writeState(next);
        const outcomes = await Promise.allSettled(added.map((worker) => complete(next, worker, clock)));
        for (const [i, outcome] of outcomes.entries())
          if (outcome.status === "rejected") await clear(cluster, added[i]!);
        const failure = outcomes.find((outcome) => outcome.status === "rejected");
        if (failure) throw failure.reason;
        return added.map(({ name }) => name);
      }),
    remove: (name) =>
      locked(async ({ workers }) => {
        const worker = workers.find((w) => w.name === name);
        if (worker && !worker.added) throw new Error(`${name} was not added by the autoscaler`);
        if (worker) await clear(cluster, worker);
      }),
    recover: () =>
      locked(async (state) => {
        const added = state.workers.filter((worker) => worker.added);
        for (const worker of added) await (worker.removing ? clear(cluster, worker) : complete(state, worker, clock));
      }),
  };
}
