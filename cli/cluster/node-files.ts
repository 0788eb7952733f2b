// Writes the files of a cluster: authority, kubeconfig, and each node's folder of configuration and certificates.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instant } from "../../api/meta.ts";
import {
  agentConfig,
  autoscalerConfig,
  engineConfig,
  nodeConfigDir,
  serverConfig,
  type StoreConfig,
  type Worker,
} from "./config.ts";
import { controlPlanesOf, endpointOf, etcdConfig, loadBalancerConfig, type Place } from "./control-planes.ts";
import {
  adminCredentials,
  autoscalerCredentials,
  engineCredentials,
  controlPlaneCredentials,
  etcdPeerCredentials,
  kubeconfig,
  registryCredentials,
  workerCredentials,
} from "./credentials.ts";
import { clusterDir, kubeconfigPath } from "../paths.ts";
import { type Authority, authorityFrom, newAuthority, newSigningKey, type Pem } from "./pki.ts";
import { auditInNode, encryptionFile, secretsEncryption } from "./protection.ts";
import { registryAddress } from "./registry.ts";
import { autoscalerName, type ClusterState, serverUrl } from "./state.ts";

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** Writes files that only their owner may read. */
export const writeAll = async (dir: string, files: Readonly<Record<string, string>>): Promise<void> => {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text, { mode: 0o600 })));
};

/** Certificates as `NAME.crt`, keys as `NAME.key`. */
export const pemFiles = (pems: Readonly<Record<string, Pem>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(pems).flatMap(([name, pem]) => [
      [`${name}.crt`, pem.cert],
      [`${name}.key`, pem.key],
    ]),
  );

/** Issues the administrator's certificate and writes the kubeconfig that contains it. */
export const writeKubeconfig = async (cluster: string, server: string, authority: Authority): Promise<Pem> => {
  const admin = await adminCredentials(authority);
  const text = kubeconfig(cluster, server, authority.pem.cert, admin);
  await writeFile(kubeconfigPath(cluster), text, { mode: 0o600 });
  return admin;
};

/** Reads an authority from `ca.crt` and `ca.key`. */
export const authorityIn = async (dir: string, now: Instant): Promise<Authority> => {
  const [cert, key] = await Promise.all(["ca.crt", "ca.key"].map((name) => readFile(join(dir, name), "utf8")));
  return authorityFrom({ cert: cert!, key: key! }, now);
};

/** The authority of an existing cluster. */
export const readAuthority = (cluster: string, now: Instant): Promise<Authority> =>
  authorityIn(clusterDir(cluster, "pki"), now);

const storeConfig = (state: ClusterState): StoreConfig =>
  state.store === "etcd"
    ? { kind: "etcd", endpoints: ["http://127.0.0.1:2379"] }
    : { kind: "sqlite", file: "/var/lib/store/orrery.sqlite" };

/** The folder that a node container mounts. */
const nodeDir = (cluster: string, node: string): string => clusterDir(cluster, "nodes", node);

/** Writes the folder of a worker. */
export const writeWorkerFiles = async (state: ClusterState, worker: Worker, authority: Authority): Promise<void> => {
  const dir = nodeDir(state.name, worker.name);
  const registry = state.registry && registryAddress(state.registry);
  await writeAll(dir, {
    "agent.json": json(agentConfig(worker, endpointOf(state).ip, registry)),
    "dockerd.json": json(engineConfig(worker)),
    "ca.crt": authority.pem.cert,
    ...pemFiles(await workerCredentials(authority, worker)),
  });
  if (registry === undefined) return;
  // Where and under which names the engine looks for them.
  const { cert, key } = await engineCredentials(authority, worker);
  const files = { "ca.crt": authority.pem.cert, "client.cert": cert, "client.key": key };
  await writeAll(join(dir, "certs.d", registry), files);
};

/** Writes the folder of the registry. */
const writeRegistryFiles = async ({ name, registry }: ClusterState, authority: Authority): Promise<void> => {
  if (!registry) return;
  const pem = await registryCredentials(authority, registry);
  await writeAll(nodeDir(name, registry.name), { "ca.crt": authority.pem.cert, ...pemFiles({ registry: pem }) });
};

/** Writes the folders of workers that lack an identity which they had not when the cluster was created. */
export const writeMissingIdentities = async (state: ClusterState, now: Instant): Promise<void> => {
  const isMissing = ({ name }: Worker): boolean => !existsSync(join(nodeDir(state.name, name), "csi.crt"));
  const workers = state.workers.filter(isMissing);
  if (workers.length === 0) return;
  const authority = await readAuthority(state.name, now);
  await Promise.all(workers.map((worker) => writeWorkerFiles(state, worker, authority)));
};

/** Writes the configuration of a control plane's etcd member. */
export const writeEtcdConfig = (state: ClusterState, place: Place, clusterState: "new" | "existing"): Promise<void> =>
  writeAll(nodeDir(state.name, place.name), {
    "etcd.json": json(etcdConfig(place, controlPlanesOf(state), clusterState)),
  });

/** Writes the folders of all control planes, which share the key of tokens and an authority of etcd members. */
const writeControlPlaneFiles = async (state: ClusterState, authority: Authority, now: Instant): Promise<void> => {
  const places = controlPlanesOf(state);
  const isReplicated = places.length > 1;
  const tokenKey = await newSigningKey();
  const encryption = state.encryptsSecrets && json(secretsEncryption());
  const etcdAuthority = isReplicated ? await newAuthority(`${state.name}-etcd-ca`, now) : undefined;
  const write = async (place: Place): Promise<void> => {
    const config = serverConfig(nodeConfigDir, place.ip, storeConfig(state), state.packing);
    const peer = etcdAuthority && { "etcd-peer": await etcdPeerCredentials(etcdAuthority, place) };
    await writeAll(nodeDir(state.name, place.name), {
      "server.json": json({
        ...config,
        ...(isReplicated && { isReplicated }),
        ...(state.rebalances && { rebalances: true }),
        ...(state.schedulerConfig && { schedulerConfig: state.schedulerConfig }),
        ...(state.auditPolicy && { audit: auditInNode(state.auditPolicy) }),
        ...(encryption && { encryption: { path: `${nodeConfigDir}/${encryptionFile}`, isReloaded: true } }),
      }),
      "ca.crt": authority.pem.cert,
      "sa.key": tokenKey,
      ...(encryption && { [encryptionFile]: encryption }),
      ...(etcdAuthority && { "etcd-ca.crt": etcdAuthority.pem.cert }),
      ...pemFiles({ ...(await controlPlaneCredentials(authority, place, endpointOf(state))), ...peer }),
    });
    if (state.store === "etcd") await writeEtcdConfig(state, place, "new");
  };
  await Promise.all(places.map(write));
};

/** Writes the folder of the load balancer, if there is one. */
const writeLoadBalancerFiles = async (state: ClusterState, authority: Authority): Promise<void> => {
  if (!state.loadBalancer) return;
  await writeAll(nodeDir(state.name, state.loadBalancer.name), {
    "load-balancer.json": json(loadBalancerConfig(controlPlanesOf(state))),
    "ca.crt": authority.pem.cert,
  });
};

/** Writes the folder of the autoscaler, if the cluster has one. */
export const writeAutoscalerFiles = async (state: ClusterState, authority: Authority): Promise<void> => {
  const { name, maxNodes } = state;
  if (maxNodes === undefined) return;
  await writeAll(nodeDir(name, autoscalerName(name)), {
    "autoscaler.json": json(autoscalerConfig(name, endpointOf(state).ip, { ...state, maxNodes })),
    "ca.crt": authority.pem.cert,
    ...pemFiles({ "cluster-autoscaler": await autoscalerCredentials(authority) }),
  });
};

/** Creates the authority of a new cluster and writes all of its files. */
export const writeClusterFiles = async (state: ClusterState, now: Instant): Promise<void> => {
  const authority = await newAuthority(`${state.name}-ca`, now);
  const admin = await writeKubeconfig(state.name, serverUrl(state), authority);
  await Promise.all([
    writeAll(clusterDir(state.name, "pki"), pemFiles({ ca: authority.pem, admin })),
    writeControlPlaneFiles(state, authority, now),
    writeLoadBalancerFiles(state, authority),
    writeRegistryFiles(state, authority),
    writeAutoscalerFiles(state, authority),
    ...state.workers.map((worker) => writeWorkerFiles(state, worker, authority)),
  ]);
};

/** Removes the folder of a node. */
export const removeNodeFiles = (cluster: string, node: string): Promise<void> =>
  rm(nodeDir(cluster, node), { recursive: true, force: true });
