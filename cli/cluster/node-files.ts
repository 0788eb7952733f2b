// Writes the files of a cluster: authority, kubeconfig, and each node's folder of configuration and certificates.
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instant } from "../../api/meta.ts";
import {
  agentConfig,
  autoscalerConfig,
  engineConfig,
  nodeConfigDir,
  pairIn,
  type ServerConfig,
  serverConfig,
  type StoreConfig,
  type Worker,
} from "./config.ts";
import {
  controlPlanesOf,
  endpointOf,
  etcdEndpoint,
  etcdConfig,
  loadBalancerConfig,
  type Place,
} from "./control-planes.ts";
import {
  adminCredentials,
  autoscalerCredentials,
  engineCredentials,
  controlPlaneCredentials,
  etcdClientCredentials,
  etcdPeerCredentials,
  kubeconfig,
  registryCredentials,
  workerCredentials,
} from "./credentials.ts";
import { clusterDir, kubeconfigPath } from "../paths.ts";
import { monitoringConfig } from "./monitoring.ts";
import { type Authority, authorityFrom, newAuthority, newSigningKey, type Pem } from "./pki.ts";
import { auditInNode, encryptionFile, secretsEncryption } from "./protection.ts";
import { numericRegistryAddress, registryAddress } from "./registry.ts";
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
    ? {
        ...{ kind: "etcd", endpoints: [etcdEndpoint] },
        pki: { ca: `${nodeConfigDir}/etcd-clients-ca.crt`, client: pairIn(nodeConfigDir, "etcd-client") },
      }
    : { kind: "sqlite", file: "/var/lib/store/orrery.sqlite" };

/** The folder that a node container mounts. */
const nodeDir = (cluster: string, node: string): string => clusterDir(cluster, "nodes", node);

/** Writes the folder of a worker. */
export const writeWorkerFiles = async (state: ClusterState, worker: Worker, authority: Authority): Promise<void> => {
  const dir = nodeDir(state.name, worker.name);
  const registry = state.registry && registryAddress(state.registry);
  await writeAll(dir, {
    "agent.json": json(
      agentConfig(worker, endpointOf(state).ip, {
        ...(registry !== undefined && { registry }),
        ...(state.tracing && { isTraced: true as const }),
        ...(state.metricsRetentionMs && { countsTraffic: true }),
      }),
    ),
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

const firstIdentities = ["kubelet-client", "kubelet", "network", "csi"] as const;

/** Whether a certificate is there and has not expired. */
const isValid = async (file: string, now: Instant): Promise<boolean> => {
  const pem = await readFile(file, "utf8").catch(() => undefined);
  return pem !== undefined && now < new X509Certificate(pem).validToDate.getTime();
};

/**
 * Writes the folders of workers that lack an identity, because a former version created them, or whose first identity
 * has expired: a node that was stopped for long could not renew it. A node uses what it has renewed as long as that is
 * valid longer.
 */
export const completeWorkers = async (state: ClusterState, now: Instant): Promise<void> => {
  const isComplete = async ({ name }: Worker): Promise<boolean> => {
    const files = firstIdentities.map((identity) => join(nodeDir(state.name, name), `${identity}.crt`));
    return (await Promise.all(files.map((file) => isValid(file, now)))).every(Boolean);
  };
  const complete = await Promise.all(state.workers.map(isComplete));
  const workers = state.workers.filter((_, i) => !complete[i]);
  if (workers.length === 0) return;
  const authority = await readAuthority(state.name, now);
  await Promise.all(workers.map((worker) => writeWorkerFiles(state, worker, authority)));
};

/** The authority of etcd's clients, made when it is missing. */
const etcdClientsAuthority = async (cluster: string, now: Instant): Promise<Authority> => {
  const dir = clusterDir(cluster, "pki", "etcd-clients");
  if (existsSync(join(dir, "ca.key"))) return authorityIn(dir, now);
  const created = await newAuthority(`${cluster}-etcd-clients-ca`, now);
  await writeAll(dir, pemFiles({ ca: created.pem }));
  return created;
};

/** What a member of etcd and the API server beside it trust each other by. */
const etcdClientFiles = async (authority: Authority, place: Place): Promise<Readonly<Record<string, string>>> => ({
  "etcd-clients-ca.crt": authority.pem.cert,
  ...pemFiles(await etcdClientCredentials(authority, place)),
});

/**
 * Writes what the folders of these control planes lack, because a former version created the cluster. They are stopped:
 * an API server and the etcd beside it change to TLS together.
 */
export const completeControlPlanes = async (
  state: ClusterState,
  names: readonly string[],
  now: Instant,
): Promise<void> => {
  const dirOf = ({ name }: Place): string => nodeDir(state.name, name);
  const has = (place: Place, file: string): boolean => existsSync(join(dirOf(place), file));
  const places = controlPlanesOf(state).filter(({ name }) => names.includes(name));
  const lacking = places.filter(
    (place) => !has(place, "ca.key") || (state.store === "etcd" && !has(place, "etcd-client.key")),
  );
  if (lacking.length === 0) return;
  const authority = await readAuthority(state.name, now);
  for (const place of lacking) {
    const config = JSON.parse(await readFile(join(dirOf(place), "server.json"), "utf8")) as ServerConfig;
    const pki = { ...config.pki, caKey: `${nodeConfigDir}/ca.key` };
    const endpoint = endpointOf(state).ip;
    await writeAll(dirOf(place), {
      "server.json": json({ ...config, pki, store: storeConfig(state), ...(state.loadBalancer && { endpoint }) }),
      "ca.key": authority.pem.key,
      ...pemFiles(await controlPlaneCredentials(authority, place, endpointOf(state))),
      ...(state.store === "etcd" && (await etcdClientFiles(await etcdClientsAuthority(state.name, now), place))),
    });
    if (state.store === "etcd") await writeEtcdConfig(state, place, "existing");
  }
};

/** Writes the configuration of a control plane's etcd member. */
export const writeEtcdConfig = (state: ClusterState, place: Place, clusterState: "new" | "existing"): Promise<void> =>
  writeAll(nodeDir(state.name, place.name), {
    "etcd.json": json(etcdConfig(place, controlPlanesOf(state), clusterState)),
  });

/** Writes the folders of all control planes, which share the key of tokens and an authority of etcd members. */
const writeControlPlaneFiles = async (
  state: ClusterState,
  authority: Authority,
  now: Instant,
  keys: ClusterKeys | undefined,
): Promise<void> => {
  const places = controlPlanesOf(state);
  const isReplicated = places.length > 1;
  const tokenKey = keys?.tokens ?? (await newSigningKey());
  const encryption = state.encryptsSecrets && (keys?.encryption ?? json(secretsEncryption()));
  const etcdAuthority = isReplicated ? await newAuthority(`${state.name}-etcd-ca`, now) : undefined;
  const clients = state.store === "etcd" ? await etcdClientsAuthority(state.name, now) : undefined;
  const write = async (place: Place): Promise<void> => {
    const config = serverConfig(nodeConfigDir, place.ip, storeConfig(state), state.packing);
    const peer = etcdAuthority && { "etcd-peer": await etcdPeerCredentials(etcdAuthority, place) };
    await writeAll(nodeDir(state.name, place.name), {
      "server.json": json({
        ...config,
        ...(isReplicated && { isReplicated, endpoint: endpointOf(state).ip }),
        ...(state.rebalances && { rebalances: true }),
        ...(state.tracing && { tracing: state.tracing }),
        ...monitoringConfig("/var/lib/store/metrics", state.metricsRetentionMs),
        ...(state.schedulerConfig && { schedulerConfig: state.schedulerConfig }),
        ...(state.registry && { registry: numericRegistryAddress(state.registry) }),
        ...(state.history && { history: state.history }),
        ...(state.auditPolicy && { audit: auditInNode(state.auditPolicy) }),
        ...(encryption && { encryption: { path: `${nodeConfigDir}/${encryptionFile}`, isReloaded: true } }),
      }),
      "ca.crt": authority.pem.cert,
      "ca.key": authority.pem.key,
      "sa.key": tokenKey,
      ...(encryption && { [encryptionFile]: encryption }),
      ...(etcdAuthority && { "etcd-ca.crt": etcdAuthority.pem.cert }),
      ...(clients && (await etcdClientFiles(clients, place))),
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

/** The keys that a cluster keeps for life: all others are issued from them. */
export interface ClusterKeys {
  readonly ca: Pem;
  /** Signs tokens of service accounts. */
  readonly tokens: string;
  /** The configuration by which objects are encrypted in the store. */
  readonly encryption?: string;
}

/** Creates the authority of a new cluster, unless there are keys for it, and writes all of its files. */
export const writeClusterFiles = async (state: ClusterState, now: Instant, keys?: ClusterKeys): Promise<void> => {
  const authority = keys ? await authorityFrom(keys.ca, now) : await newAuthority(`${state.name}-ca`, now);
  const admin = await writeKubeconfig(state.name, serverUrl(state), authority);
  await Promise.all([
    writeAll(clusterDir(state.name, "pki"), pemFiles({ ca: authority.pem, admin })),
    writeControlPlaneFiles(state, authority, now, keys),
    writeLoadBalancerFiles(state, authority),
    writeRegistryFiles(state, authority),
    writeAutoscalerFiles(state, authority),
    ...state.workers.map((worker) => writeWorkerFiles(state, worker, authority)),
  ]);
};

/** Removes the folder of a node. */
export const removeNodeFiles = (cluster: string, node: string): Promise<void> =>
  rm(nodeDir(cluster, node), { recursive: true, force: true });
