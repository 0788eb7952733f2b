// Creates a cluster or starts its stopped parts: images, network, certificates, containers, then waits for all nodes.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { sameJson } from "../../api/hash.ts";
import { instant } from "../../api/meta.ts";
import type { Clock } from "../../machinery/world.ts";
import type { AuditPolicy } from "../../apiserver/audit/policy.ts";
import type { HistoryLimits } from "../../apiserver/history/limits.ts";
import type { KubeSchedulerConfiguration } from "../../scheduler/configuration/configuration.ts";
import type { Packing } from "../../scheduler/plugins/resource-scores.ts";
import { CliError } from "../cli-error.ts";
import type { TracingConfig } from "../tracing/config.ts";
import { connect } from "../client/access.ts";
import type { Io } from "../progress.ts";
import { addresses, type Worker } from "./config.ts";
import {
  autoscalerCommand,
  compileCommand,
  controlPlaneCommand,
  createNetwork,
  dockerRanges,
  hasNetwork,
  hasVolume,
  loadBalancerCommand,
  nodeContainers,
  registryCommand,
  removeAll,
  removeContainers,
  workerCommand,
} from "./containers.ts";
import { controlPlaneNumber, controlPlanesOf, loadBalancerPlace, storeVolume } from "./control-planes.ts";
import { down } from "./down.ts";
import { replaceMember } from "./etcd-members.ts";
import { blackholeRanges, hostRoutes } from "./host-routes.ts";
import { ensureImages } from "./images.ts";
import { withLock } from "./lock.ts";
import { recentFailures } from "./logs.ts";
import {
  type ClusterKeys,
  completeControlPlanes,
  completeWorkers,
  readAuthority,
  writeAutoscalerFiles,
  writeClusterFiles,
  writeEtcdConfig,
} from "./node-files.ts";
import { cacheDir, clusterDir } from "../paths.ts";
import { isAboutPrivileges, localPrivileges } from "./privileges.ts";
import { waitUntilReady } from "./readiness.ts";
import type { ClusterState, Size, StoreKind } from "./state.ts";
import {
  allocationLock,
  allStates,
  autoscalerName,
  checkName,
  clusterLock,
  readState,
  workerNumber,
  writeState,
} from "./state.ts";
import { registryPlace } from "./registry.ts";
import { createStorageClasses } from "./storage-classes.ts";
import { CommandFailed, run } from "./subprocess.ts";
import { freeSubnet, routedRanges } from "./subnet.ts";

/** The options of a new cluster. */
export interface UpOptions extends Size {
  readonly name: string;
  readonly nodes: number;
  /** Adds nodes up to this number while pods find no room, and removes them when they are not needed. */
  readonly maxNodes: number | undefined;
  readonly controlPlanes: number;
  readonly store: StoreKind;
  readonly packing: Packing;
  /** From a file; used instead of `packing`. */
  readonly schedulerConfig: KubeSchedulerConfiguration | undefined;
  /** How much of the past is kept. */
  readonly history: HistoryLimits | undefined;
  /** From a file. */
  readonly auditPolicy: AuditPolicy | undefined;
  readonly tracing: TracingConfig | undefined;
  /** Moves pods from time to time. */
  readonly rebalances: boolean;
  /** Of an archived cluster; new ones unless set. */
  readonly keys?: ClusterKeys;
  /** How long metrics are kept; 0 keeps none. */
  readonly metricsRetentionMs: number;
  readonly timeoutMs: number;
  /** Keeps a cluster that did not become Ready, for inspection. */
  readonly keep: boolean;
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

const freePort = async (taken: readonly number[]): Promise<number> => {
  for (let port = addresses.apiPort; port < addresses.apiPort + 500; port++) {
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
  throw new CliError("no free port for the API server", `All of ${addresses.apiPort} and the 500 after it are taken.`);
};

// Under a lock, so that two clusters created at the same time do not choose the same network or port.
const allocate = (options: UpOptions, clock: Clock): Promise<ClusterState> =>
  withLock(allocationLock(), clock, async () => {
    const others = await allStates();
    const taken = [
      ...(await dockerRanges()),
      ...routedRanges(await hostRoutes()),
      ...others.map((other) => other.subnet),
    ];
    const subnet = freeSubnet(taken);
    if (subnet === undefined)
      throw new CliError("no free range for the cluster's network", "Remove unused networks: docker network prune");
    const { name, store, packing, schedulerConfig, auditPolicy, history, tracing } = options;
    const { rebalances, nodes, maxNodes, controlPlanes } = options;
    const state: ClusterState = {
      name,
      complete: false,
      store,
      packing,
      encryptsSecrets: true,
      ...(schedulerConfig && { schedulerConfig }),
      ...(auditPolicy && { auditPolicy }),
      ...(tracing && { tracing }),
      ...(history && { history }),
      ...(rebalances && { rebalances }),
      ...(options.metricsRetentionMs > 0 && { metricsRetentionMs: options.metricsRetentionMs }),
      ...(maxNodes !== undefined && { maxNodes }),
      subnet,
      apiPort: await freePort(others.map((other) => other.apiPort)),
      privileges: await localPrivileges(),
      controlPlane: controlPlaneNumber(name, subnet, 1),
      registry: registryPlace(name, subnet),
      ...(controlPlanes > 1 && {
        furtherControlPlanes: Array.from({ length: controlPlanes - 1 }, (_, i) =>
          controlPlaneNumber(name, subnet, i + 2),
        ),
        loadBalancer: loadBalancerPlace(name, subnet),
      }),
      workers: Array.from({ length: nodes }, (_, i) =>
        workerNumber(name, subnet, i + 1, { cpus: options.cpus, memoryBytes: options.memoryBytes }),
      ),
    };
    await createNetwork(name, subnet).catch((error: Error) => {
      throw new CliError(
        `cannot make the network "${name}": ${error.message}`,
        "Choose another name for the cluster with --name.",
      );
    });
    await writeState(state);
    await blackholeRanges();
    return state;
  });

/** The workers that are not being removed. */
const staying = ({ workers }: ClusterState): readonly Worker[] => workers.filter(({ removing }) => !removing);

/** The `docker run` of every container of a cluster, by its name. */
const containerCommands = (state: ClusterState): ReadonlyMap<string, readonly string[]> =>
  new Map([
    ...controlPlanesOf(state).map((place) => [place.name, controlPlaneCommand(state, place)] as const),
    ...(state.registry ? [[state.registry.name, registryCommand(state, state.registry)] as const] : []),
    ...(state.loadBalancer ? [[state.loadBalancer.name, loadBalancerCommand(state, state.loadBalancer)] as const] : []),
    ...(state.maxNodes === undefined ? [] : [[autoscalerName(state.name), autoscalerCommand(state)] as const]),
    ...staying(state).map((worker) => [worker.name, workerCommand(state, worker)] as const),
  ]);

const startContainers = async (state: ClusterState): Promise<ClusterState> => {
  const outcomes = await Promise.allSettled([...containerCommands(state).values()].map((command) => run(command)));
  const error = outcomes.find((outcome) => outcome.status === "rejected")?.reason;
  if (error === undefined) return state;
  if (!(error instanceof CommandFailed) || state.privileges === "fallback" || !isAboutPrivileges(error.stderr))
    throw error;
  const fallback: ClusterState = { ...state, privileges: "fallback" };
  await removeContainers((await nodeContainers(state.name)).map((container) => container.name));
  await writeState(fallback);
  return startContainers(fallback);
};

const withRecentFailures = async (cluster: string, error: unknown): Promise<CliError> => {
  const failures = await recentFailures(cluster).catch(() => "");
  const text = error instanceof Error ? error.message : String(error);
  return new CliError(
    failures === "" ? text : `${text}\n${failures}`,
    error instanceof CliError ? error.advice : undefined,
  );
};

// The first cluster of a machine fills the compile cache. A component that compiles its own code starts slowly and uses
// 25 MB more.
const compileOnce = async (note: (text: string) => void): Promise<void> => {
  if (existsSync(cacheDir("compiled-in-nodes"))) return;
  // A folder created by the engine would belong to root.
  await mkdir(cacheDir("compiled-in-nodes"), { recursive: true });
  note("compiling the components");
  await run(compileCommand);
};

const createCluster = async (options: UpOptions, io: Io, signal: AbortSignal): Promise<void> => {
  const { clock, progress } = io;
  const { nodes, maxNodes = nodes } = options;
  if (maxNodes < nodes)
    throw new CliError(`--max-nodes ${maxNodes} is less than --nodes ${nodes}`, "Choose a smaller --nodes.");
  await progress.step("images are there", async (note) => {
    await ensureImages(clock, note);
    await compileOnce(note);
  });
  try {
    const allocated = await progress.step("network and certificates", async () => {
      const newState = await allocate(options, clock);
      await writeClusterFiles(newState, clock.now(), options.keys);
      return newState;
    });
    const workers = allocated.workers.map((worker) => worker.name);
    const planes = options.controlPlanes === 1 ? "control plane" : `${options.controlPlanes} control planes`;
    const title = `${planes} and ${workers.length} ${workers.length === 1 ? "node" : "nodes"} started`;
    const state = await progress.step(title, () => startContainers(allocated));
    await waitUntilReady(state.name, { workers, since: instant(0), timeoutMs: options.timeoutMs }, io, signal);
    await createStorageClasses(await connect(state.name));
    await writeState({ ...state, complete: true });
  } catch (error) {
    const failure = await withRecentFailures(options.name, error);
    if (!options.keep) await down(options.name, io);
    throw failure;
  }
};

// A lost container can be created again, unless it was the only control plane: that holds the objects.
const missingContainers = (state: ClusterState, existing: readonly string[]): readonly string[] => {
  const lost = [...containerCommands(state).keys()].filter((name) => !existing.includes(name));
  if (controlPlanesOf(state).some(({ name }) => !lost.includes(name))) return lost;
  throw new CliError(
    `the container ${state.controlPlane.name} of cluster "${state.name}" is gone`,
    `Remove what is left of it with: orrery down --name ${state.name}`,
  );
};

/** Gives an existing cluster an autoscaler, or another limit; its container is made anew with its configuration. */
const withMaxNodes = async (state: ClusterState, maxNodes: number | undefined, clock: Clock): Promise<ClusterState> => {
  if (maxNodes === undefined || maxNodes === state.maxNodes) return state;
  const next = { ...state, maxNodes };
  await writeAutoscalerFiles(next, await readAuthority(state.name, clock.now()));
  await writeState(next);
  await removeContainers([autoscalerName(state.name)]);
  return next;
};

/** Creates lost containers again. A control plane without its volume becomes a new member of the etcd cluster. */
const createAgain = async (state: ClusterState, names: readonly string[]): Promise<void> => {
  const planes = controlPlanesOf(state);
  const alive = planes.find(({ name }) => !names.includes(name));
  for (const place of planes.filter(({ name }) => names.includes(name))) {
    if (await hasVolume(storeVolume(state, place))) continue;
    await replaceMember(place, alive!);
    await writeEtcdConfig(state, place, "existing");
  }
  const commands = containerCommands(state);
  await Promise.all(names.map((name) => run(commands.get(name)!)));
};

/** Some options of a cluster are chosen when it is made. Throws CliError when they are others now. */
const checkSame = (previous: ClusterState, options: UpOptions): void => {
  const differs = (option: "schedulerConfig" | "auditPolicy" | "tracing" | "history"): boolean =>
    options[option] !== undefined && !sameJson(options[option], previous[option]);
  const other = differs("schedulerConfig")
    ? "configuration of its scheduler"
    : differs("auditPolicy")
      ? "audit policy"
      : differs("tracing")
        ? "configuration of tracing"
        : differs("history")
          ? "length of its history"
          : undefined;
  if (other === undefined) return;
  throw new CliError(
    `cluster "${previous.name}" was made with another ${other}`,
    `Remove the cluster with: orrery down --name ${previous.name}, or make another one with --name.`,
  );
};

const resumeCluster = async (
  previous: ClusterState,
  options: UpOptions,
  io: Io,
  signal: AbortSignal,
): Promise<void> => {
  checkSame(previous, options);
  const state = await withMaxNodes(previous, options.maxNodes, io.clock);
  await completeWorkers(state, io.clock.now());
  const containers = await nodeContainers(state.name);
  const missing = missingContainers(
    state,
    containers.map((container) => container.name),
  );
  const stopped = containers.filter((container) => !container.running).map((container) => container.name);
  const names = [...stopped, ...missing];
  await completeControlPlanes(state, names, io.clock.now());
  const since = names.length > 0 ? io.clock.now() : instant(0);
  await blackholeRanges();
  if (names.length === 0) io.progress.say(`Cluster "${state.name}" is already up.`);
  else {
    await io.progress.step(`started ${names.join(", ")}`, async (note) => {
      if (missing.length > 0) await ensureImages(io.clock, note);
      if (stopped.length > 0) await run(["docker", "start", ...stopped]);
      await createAgain(state, missing);
    });
  }
  const workers = staying(state).map((worker) => worker.name);
  await waitUntilReady(state.name, { workers, since, timeoutMs: options.timeoutMs }, io, signal);
};

/** Creates a cluster, or starts the stopped parts of an existing one. Cleans up when it fails or is interrupted. */
export const up = (options: UpOptions, io: Io, signal: AbortSignal): Promise<void> =>
  withLock(clusterLock(checkName(options.name)), io.clock, async () => {
    const state = await readState(options.name);
    if (state?.complete === true) return resumeCluster(state, options, io, signal);
    if (existsSync(clusterDir(options.name, "server"))) {
      throw new CliError(
        `"${options.name}" is the name of a server that was started alone, with a store of its own`,
        "Choose another name with --name, or remove it for good with: orrery down",
      );
    }
    // Left over from an interrupted `up`.
    if (existsSync(clusterDir(options.name)) || (await hasNetwork(options.name))) {
      await io.progress.step("cleared the remains of an earlier attempt", async () => {
        await removeAll(options.name);
        await rm(clusterDir(options.name), { recursive: true, force: true });
      });
    }
    return createCluster(options, io, signal);
  });
