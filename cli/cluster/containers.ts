// Node containers as the engine sees them: how they are started, found and removed.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { addresses } from "./config.ts";
import { cacheDir, checkout, clusterDir } from "./paths.ts";
import { privilegeFlags } from "./privileges.ts";
import { nodeTag } from "./recipes.ts";
import type { ClusterState } from "./state.ts";
import { CommandFailed, run } from "./subprocess.ts";

/** Everything of a cluster carries this label, so that it is found again even when its folder is lost. */
const clusterLabel = "orrery.dev/cluster";
const roleLabel = "orrery.dev/role";

/** A node container, as far as it concerns us. */
export interface NodeContainer {
  readonly name: string;
  readonly role: "control-plane" | "worker";
  readonly running: boolean;
  /** In the engine's words: "Up 3 minutes", "Exited (137) 2 seconds ago". */
  readonly status: string;
}

// Compiled code is worth half a second at every start of a component.
const codeAndCache: readonly string[] = [
  ...["--volume", `${checkout}:/opt/orrery:ro`],
  ...[
    "--volume",
    `${cacheDir("compiled-in-nodes")}:/var/cache/orrery`,
    "--env",
    "NODE_COMPILE_CACHE=/var/cache/orrery",
  ],
];

/** Loads the components once in a container like a node's, and so compiles them. */
export const compileCommand = (): readonly string[] => [
  ...["docker", "run", "--rm", ...codeAndCache, nodeTag, "compile"],
];

const common = (state: ClusterState, name: string, ip: string, role: NodeContainer["role"]): readonly string[] => [
  ...["docker", "run", "--detach", "--init", "--name", name, "--hostname", name],
  ...["--label", `${clusterLabel}=${state.name}`, "--label", `${roleLabel}=${role}`],
  ...["--network", state.name, "--ip", ip, "--cgroupns", "private", "--tmpfs", "/run:exec,mode=755"],
  ...codeAndCache,
  ...["--volume", `${clusterDir(state.name, "nodes", name)}:/etc/orrery:ro`],
  ...privilegeFlags(state.privileges),
];

const volume = (cluster: string, source: string, target: string): readonly string[] => [
  "--mount",
  `type=volume,source=${source},target=${target},volume-label=${clusterLabel}=${cluster}`,
];

/** The `docker run` of a cluster's control plane. */
export const controlPlaneCommand = (state: ClusterState): readonly string[] => [
  ...common(state, state.controlPlane.name, state.controlPlane.ip, "control-plane"),
  ...volume(state.name, `${state.name}-etcd`, "/var/lib/store"),
  ...["--publish", `127.0.0.1:${state.apiPort}:${addresses.apiPort}`],
  ...[nodeTag, `control-plane-${state.store}`],
];

/** The `docker run` of a worker; its size is enforced by the engine, so that capacity is no mere claim. */
export const workerCommand = (state: ClusterState, worker: ClusterState["workers"][number]): readonly string[] => [
  ...common(state, worker.name, worker.ip, "worker"),
  ...[
    "--cpus",
    String(worker.cpus),
    "--memory",
    String(worker.memoryBytes),
    "--memory-swap",
    String(worker.memoryBytes),
  ],
  ...volume(state.name, `${worker.name}-docker`, "/var/lib/docker"),
  ...["--volume", `${cacheDir("images")}:/opt/orrery-images:ro`],
  ...(existsSync(join("/lib", "modules")) ? ["--volume", "/lib/modules:/lib/modules:ro"] : []),
  ...[nodeTag, "worker"],
];

/** The node containers of a cluster, control plane first, then workers in the order of their numbers. */
export const nodeContainers = async (cluster: string): Promise<readonly NodeContainer[]> => {
  const format = `{{.Names}}\t{{.Label "${roleLabel}"}}\t{{.State}}\t{{.Status}}`;
  const lines = await run(["docker", "ps", "-a", "--filter", `label=${clusterLabel}=${cluster}`, "--format", format]);
  const found = lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line): NodeContainer => {
      const [name, role, state, status] = line.split("\t");
      return { name: name!, role: role as NodeContainer["role"], running: state === "running", status: status! };
    });
  return found.sort((a, b) => a.role.localeCompare(b.role) || a.name.localeCompare(b.name, "en", { numeric: true }));
};

/** Runs a command in a node and returns what it printed. */
export const runIn = (container: string, command: readonly string[], timeoutMs = 10_000): Promise<string> =>
  run(["docker", "exec", container, ...command], { timeoutMs });

/** Makes the network nodes live in. */
export const createNetwork = async (name: string, subnet: string): Promise<void> => {
  await run(["docker", "network", "create", "--subnet", subnet, "--label", `${clusterLabel}=${name}`, name]);
};

/** The ranges that Docker's networks on this machine use. */
export const dockerRanges = async (): Promise<readonly string[]> => {
  const ids = (await run(["docker", "network", "ls", "-q"])).split("\n").filter((id) => id !== "");
  const format = "{{range .IPAM.Config}}{{.Subnet}}\n{{end}}";
  const text = await run(["docker", "network", "inspect", "--format", format, ...ids]).catch((error: unknown) => {
    // A network that vanished in between is none of our business; the others were printed.
    if (error instanceof CommandFailed) return error.stdout;
    throw error;
  });
  return text.split("\n").filter((range) => range !== "");
};

const labelled = async (kind: readonly string[], cluster: string): Promise<readonly string[]> =>
  (await run(["docker", ...kind, "ls", "-q", "--filter", `label=${clusterLabel}=${cluster}`]))
    .split("\n")
    .filter((id) => id !== "");

/** Removes containers with all they held; what is not there is gone already. */
export const removeContainers = async (names: readonly string[]): Promise<void> => {
  if (names.length > 0) await run(["docker", "rm", "-f", "-v", ...names]);
};

/** Removes volumes; what is not there is gone already. */
export const removeVolumes = async (names: readonly string[]): Promise<void> => {
  if (names.length > 0) await run(["docker", "volume", "rm", "-f", ...names]);
};

/** Removes everything in the engine that belongs to a cluster: containers, then volumes, then the network. */
export const removeAll = async (cluster: string): Promise<void> => {
  await removeContainers((await nodeContainers(cluster)).map((container) => container.name));
  await removeVolumes(await labelled(["volume"], cluster));
  const networks = await labelled(["network"], cluster);
  if (networks.length > 0) await run(["docker", "network", "rm", ...networks]);
};

/** Whether this cluster, or any when none is named, has a network: the first thing it gets and the last it loses. */
export const hasNetwork = async (cluster?: string): Promise<boolean> => {
  const label = cluster === undefined ? clusterLabel : `${clusterLabel}=${cluster}`;
  return (await run(["docker", "network", "ls", "-q", "--filter", `label=${label}`])).trim() !== "";
};
