// Starts, finds and removes node containers, their volumes and their network.
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { addresses, localVolumesDir, nodeConfigDir, sharedVolumesDir } from "./config.ts";
import { cacheDir, checkout, clusterDir, orreryHome } from "../paths.ts";
import { type Place, storeVolume } from "./control-planes.ts";
import { privilegeFlags } from "./privileges.ts";
import { nodeTag } from "./recipes.ts";
import { autoscalerName, type ClusterState } from "./state.ts";
import { addressIn } from "./subnet.ts";
import { inspectLines, run, runLines } from "./subprocess.ts";

/** Labels all objects of a cluster, so that they are found without the cluster's folder. */
const clusterLabel = "orrery.dev/cluster";
const roleLabel = "orrery.dev/role";

export interface NodeContainer {
  readonly name: string;
  readonly role: "control-plane" | "load-balancer" | "registry" | "autoscaler" | "worker";
  readonly running: boolean;
  /** Docker's text: "Up 3 minutes", "Exited (137) 2 seconds ago". */
  readonly status: string;
}

/** In the order of lists. */
const roles: readonly NodeContainer["role"][] = ["control-plane", "load-balancer", "registry", "autoscaler", "worker"];

// The compile cache saves half a second at every start of a component.
const codeAndCache: readonly string[] = [
  ...["--volume", `${checkout}:/opt/orrery:ro`],
  ...["--volume", `${cacheDir("compiled-in-nodes")}:/var/cache/orrery`],
  ...["--env", "NODE_COMPILE_CACHE=/var/cache/orrery"],
];

/** The `docker run` that fills the compile cache, by loading the components in a container like a node's. */
export const compileCommand: readonly string[] = ["docker", "run", "--rm", ...codeAndCache, nodeTag, "compile"];

const nodeOptions = (state: ClusterState, name: string, ip: string, role: NodeContainer["role"]): readonly string[] => [
  ...["docker", "run", "--detach", "--init", "--name", name, "--hostname", name],
  ...["--label", `${clusterLabel}=${state.name}`, "--label", `${roleLabel}=${role}`],
  ...["--network", state.name, "--ip", ip, "--cgroupns", "private", "--tmpfs", "/run:exec,mode=755"],
  ...codeAndCache,
  ...["--volume", `${clusterDir(state.name, "nodes", name)}:${nodeConfigDir}:ro`],
  ...privilegeFlags(state.privileges),
];

const volume = (cluster: string, source: string, target: string): readonly string[] => [
  "--mount",
  `type=volume,source=${source},target=${target},volume-label=${clusterLabel}=${cluster}`,
];

const publishedApi = ({ apiPort }: ClusterState): readonly string[] => [
  "--publish",
  `127.0.0.1:${apiPort}:${addresses.apiPort}`,
];

/** The `docker run` of one of a cluster's control planes. */
export const controlPlaneCommand = (state: ClusterState, place: Place): readonly string[] => [
  ...nodeOptions(state, place.name, place.ip, "control-plane"),
  ...volume(state.name, storeVolume(state, place), "/var/lib/store"),
  ...(state.loadBalancer ? [] : publishedApi(state)),
  ...[nodeTag, `control-plane-${state.store}`],
];

/** The `docker run` of the load balancer of several control planes. */
export const loadBalancerCommand = (state: ClusterState, place: Place): readonly string[] => [
  ...nodeOptions(state, place.name, place.ip, "load-balancer"),
  ...publishedApi(state),
  ...["--entrypoint", "supervise.sh", nodeTag, "load-balancer", "node", "--optimize-for-size"],
  ...["/opt/orrery/cli/main.ts", "load-balancer", "--config", `${nodeConfigDir}/load-balancer.json`],
];

/** The `docker run` of the registry. */
export const registryCommand = (state: ClusterState, place: Place): readonly string[] => [
  ...nodeOptions(state, place.name, place.ip, "registry"),
  ...volume(state.name, place.name, "/var/lib/registry"),
  ...["--volume", `${cacheDir("images")}:/opt/orrery-images:ro`],
  ...[nodeTag, "registry"],
];

/** The `docker run` of a worker. The engine enforces its size. */
export const workerCommand = (state: ClusterState, worker: ClusterState["workers"][number]): readonly string[] => [
  ...nodeOptions(state, worker.name, worker.ip, "worker"),
  ...["--cpus", String(worker.cpus)],
  ...["--memory", String(worker.memoryBytes), "--memory-swap", String(worker.memoryBytes)],
  ...volume(state.name, `${worker.name}-docker`, "/var/lib/docker"),
  ...volume(state.name, `${worker.name}-volumes`, localVolumesDir),
  ...volume(state.name, `${state.name}-shared`, sharedVolumesDir),
  ...["--volume", `${cacheDir("images")}:/opt/orrery-images:ro`],
  ...["--volume", `${clusterDir(state.name, "nodes", worker.name, "certs.d")}:/etc/docker/certs.d:ro`],
  ...kernelModules(),
  ...[nodeTag, "worker"],
];

const kernelModules = (): readonly string[] =>
  existsSync(join("/lib", "modules")) ? ["--volume", "/lib/modules:/lib/modules:ro"] : [];

const engineSocket = "/var/run/docker.sock";

/** A user other than root needs the group of the engine's socket, and folders to write to. */
const asThisUser = (): readonly string[] => {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (uid === 0) return [];
  const group = ["--user", `${uid}:${gid}`, "--group-add", String(statSync(engineSocket).gid)];
  return [...group, "--tmpfs", "/var/log/orrery:mode=1777"];
};

/**
 * The `docker run` of a cluster's autoscaler. It creates nodes as `up` does, by the engine of this machine, so it has
 * that engine's socket, and this user's files at the same paths. Its process ids are those of the machine, by which
 * locks know their holders.
 */
export const autoscalerCommand = (state: ClusterState): readonly string[] => {
  const name = autoscalerName(state.name);
  const [home, cache] = [orreryHome(), "/var/cache/orrery"];
  return [
    ...["docker", "run", "--detach", "--init", "--name", name, "--hostname", name, "--pid", "host"],
    ...["--label", `${clusterLabel}=${state.name}`, "--label", `${roleLabel}=autoscaler`],
    ...[
      "--network",
      state.name,
      "--ip",
      addressIn(state.subnet, 3),
      "--tmpfs",
      "/run/orrery:mode=1777",
      ...asThisUser(),
    ],
    ...["--volume", `${engineSocket}:${engineSocket}`, "--volume", `${home}:${home}`, "--env", `HOME=${homedir()}`],
    ...["--volume", `${checkout}:${checkout}:ro`, ...kernelModules()],
    ...["--volume", `${cacheDir("compiled-in-nodes")}:${cache}`, "--env", `NODE_COMPILE_CACHE=${cache}`],
    ...["--volume", `${clusterDir(state.name, "nodes", name)}:${nodeConfigDir}:ro`],
    ...["--entrypoint", "supervise.sh", nodeTag, "autoscaler", join(checkout, "node_modules", ".bin", "node")],
    ...["--optimize-for-size", "--max-semi-space-size=1", join(checkout, "cli", "main.ts")],
    ...["autoscaler", "--config", `${nodeConfigDir}/autoscaler.json`],
  ];
};

/** The containers of a cluster: control planes, the load balancer, the autoscaler, then the workers by number. */
export const nodeContainers = async (cluster: string): Promise<readonly NodeContainer[]> => {
  const format = `{{.Names}}\t{{.Label "${roleLabel}"}}\t{{.State}}\t{{.Status}}`;
  const command = ["docker", "ps", "-a", "--filter", `label=${clusterLabel}=${cluster}`, "--format", format];
  const containers = (await runLines(command)).map((line): NodeContainer => {
    const [name, role, state, status] = line.split("\t");
    return { name: name!, role: role as NodeContainer["role"], running: state === "running", status: status! };
  });
  return containers.sort(
    (a, b) => roles.indexOf(a.role) - roles.indexOf(b.role) || a.name.localeCompare(b.name, "en", { numeric: true }),
  );
};

/** Runs a command in a node and returns its output. */
export const runIn = (container: string, command: readonly string[], timeoutMs = 10_000): Promise<string> =>
  run(["docker", "exec", container, ...command], { timeoutMs });

/** Creates the network of a cluster. */
export const createNetwork = async (name: string, subnet: string): Promise<void> => {
  await run(["docker", "network", "create", "--subnet", subnet, "--label", `${clusterLabel}=${name}`, name]);
};

/** The address ranges of Docker's networks on this machine. */
export const dockerRanges = async (): Promise<readonly string[]> => {
  const ids = await runLines(["docker", "network", "ls", "-q"]);
  return inspectLines([
    ...["docker", "network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}}\n{{end}}"],
    ...ids,
  ]);
};

const idsOf = (kind: "volume" | "network", label: string): Promise<readonly string[]> =>
  runLines(["docker", kind, "ls", "-q", "--filter", `label=${label}`]);

const remove = async (command: readonly string[], names: readonly string[]): Promise<void> => {
  if (names.length > 0) await run(["docker", ...command, ...names]);
};

/** Removes containers with their anonymous volumes; missing ones are ignored. */
export const removeContainers = (names: readonly string[]): Promise<void> => remove(["rm", "-f", "-v"], names);

/** Removes volumes; missing ones are ignored. */
const removeVolumes = (names: readonly string[]): Promise<void> => remove(["volume", "rm", "-f"], names);

/** Removes the volumes of workers, whose containers are gone. */
export const removeWorkerVolumes = (workers: readonly string[]): Promise<void> =>
  removeVolumes(workers.flatMap((name) => [`${name}-docker`, `${name}-volumes`]));

/** Removes all Docker objects of a cluster: containers, then volumes, then the network. */
export const removeAll = async (cluster: string): Promise<void> => {
  const label = `${clusterLabel}=${cluster}`;
  await removeContainers((await nodeContainers(cluster)).map((container) => container.name));
  await removeVolumes(await idsOf("volume", label));
  await remove(["network", "rm"], await idsOf("network", label));
};

/** Whether a volume exists. */
export const hasVolume = async (name: string): Promise<boolean> =>
  (await runLines(["docker", "volume", "ls", "-q", "--filter", `name=^${name}$`])).length > 0;

/** Whether a cluster, or any cluster by default, has a network: the first object created and the last removed. */
export const hasNetwork = async (cluster?: string): Promise<boolean> =>
  (await idsOf("network", cluster === undefined ? clusterLabel : `${clusterLabel}=${cluster}`)).length > 0;
