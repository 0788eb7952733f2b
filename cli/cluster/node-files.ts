// Writes the folder each node container sees as /etc/orrery: what its components are told, and its certificates.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instant } from "../../api/meta.ts";
import { agentConfig, engineConfig, serverConfig, type StoreConfig, type Worker } from "./config.ts";
import { adminCredentials, controlPlaneCredentials, kubeconfig, workerCredentials } from "./credentials.ts";
import { clusterDir, kubeconfigPath } from "./paths.ts";
import { type Authority, authorityFrom, newAuthority, newSigningKey, type Pem } from "./pki.ts";
import { type ClusterState, serverUrl } from "./state.ts";

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const writeAll = async (dir: string, files: Readonly<Record<string, string>>): Promise<void> => {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text, { mode: 0o600 })));
};

const pemFiles = (pems: Readonly<Record<string, Pem>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(pems).flatMap(([name, pem]) => [
      [`${name}.crt`, pem.cert],
      [`${name}.key`, pem.key],
    ]),
  );

const storeConfig = (state: ClusterState): StoreConfig =>
  state.store === "etcd"
    ? { kind: "etcd", endpoints: ["http://127.0.0.1:2379"] }
    : { kind: "sqlite", file: "/var/lib/store/orrery.sqlite" };

/** The folder a node container mounts. */
const nodeDir = (cluster: string, node: string): string => clusterDir(cluster, "nodes", node);

/** Everything a worker needs to join. */
export const writeWorkerFiles = async (state: ClusterState, worker: Worker, authority: Authority): Promise<void> => {
  await writeAll(nodeDir(state.name, worker.name), {
    "agent.json": json(agentConfig(state.name, worker, state.controlPlane.ip)),
    "dockerd.json": json(engineConfig(worker)),
    "ca.crt": authority.pem.cert,
    ...pemFiles(await workerCredentials(authority, worker)),
  });
};

const writeControlPlaneFiles = async (state: ClusterState, authority: Authority): Promise<void> => {
  const { name, ip } = state.controlPlane;
  await writeAll(nodeDir(state.name, name), {
    "server.json": json(serverConfig(state.name, ip, storeConfig(state), state.packing)),
    "ca.crt": authority.pem.cert,
    "sa.key": await newSigningKey(),
    ...pemFiles(await controlPlaneCredentials(authority, name, ip)),
  });
};

/** Makes the authority of a new cluster and every file that follows from it. */
export const writeClusterFiles = async (state: ClusterState, now: Instant): Promise<void> => {
  const authority = await newAuthority(`${state.name}-ca`, now);
  const admin = await adminCredentials(authority);
  await Promise.all([
    writeAll(clusterDir(state.name, "pki"), pemFiles({ ca: authority.pem, admin })),
    writeFile(kubeconfigPath(state.name), kubeconfig(state.name, serverUrl(state), authority.pem.cert, admin), {
      mode: 0o600,
    }),
    writeControlPlaneFiles(state, authority),
    ...state.workers.map((worker) => writeWorkerFiles(state, worker, authority)),
  ]);
};

/** The authority of a cluster that exists, to sign for a node that joins. */
export const readAuthority = async (cluster: string, now: Instant): Promise<Authority> => {
  const [cert, key] = await Promise.all(
    ["ca.crt", "ca.key"].map((name) => readFile(clusterDir(cluster, "pki", name), "utf8")),
  );
  return authorityFrom({ cert: cert!, key: key! }, now);
};

/** Forgets a node's files. */
export const removeNodeFiles = (cluster: string, node: string): Promise<void> =>
  rm(nodeDir(cluster, node), { recursive: true, force: true });
