// What `orrery server` and `orrery agent` are told in their JSON files, and the addresses every cluster uses.
import { readFileSync } from "node:fs";
import type { Packing } from "../../scheduler/plugins/resources.ts";
import { localTimings, type Timings } from "./timings.ts";

/** The ranges and names that are the same in every cluster, as people know them from Kubernetes. */
export const addresses = {
  podRange: "10.244.0.0/16",
  serviceRange: "10.96.0.0/16",
  clusterDns: "10.96.0.10",
  clusterDomain: "cluster.local",
  /** The address of the `kubernetes` service, in the API server's certificate. */
  apiService: "10.96.0.1",
  apiPort: 6443,
  kubeletPort: 10250,
} as const;

/** Where the log of the cluster is kept. */
export type StoreConfig =
  | { readonly kind: "etcd"; readonly endpoints: readonly string[] }
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "memory" };

/** A certificate and its key, as paths of PEM files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Everything one process needs to be the control plane: API server, scheduler and controllers. */
export interface ServerConfig {
  readonly clusterName: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** The address agents and users reach the server at; goes into the `kubernetes` endpoints. */
  readonly advertiseAddress: string;
  readonly store: StoreConfig;
  readonly pki: {
    /** Signs every certificate of the cluster; callers must present one signed by it. */
    readonly ca: string;
    readonly serving: KeyPair;
    /** What the server shows to kubelets when it asks for logs, exec and metrics. */
    readonly kubeletClient: KeyPair;
    readonly scheduler: KeyPair;
    readonly controllerManager: KeyPair;
    /** The key that signs tokens of service accounts. */
    readonly tokens: string;
  };
  readonly podRange: string;
  readonly serviceRange: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly timings: Timings;
  /** Whether the scheduler fills nodes up or keeps them equally loaded. */
  readonly packing: Packing;
}

/** Everything one process needs to be a node: kubelet and node network. */
export interface AgentConfig {
  readonly clusterName: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly server: string;
  readonly pki: {
    readonly ca: string;
    /** Who the node is to the API server: system:node:NAME of system:nodes. */
    readonly client: KeyPair;
    /** What the kubelet shows to the API server on its own port. */
    readonly serving: KeyPair;
  };
  readonly kubeletPort: number;
  /** Appears once the engine answers and holds the pause image; until then there is nothing to wait for but itself. */
  readonly dockerSocket: string;
  /** What the node's container may use; the engine would report the whole machine. */
  readonly capacity: { readonly cpuMillis: number; readonly memoryBytes: number; readonly pods: number };
  /** This node's own part of the pod range; the agent registers its Node with it. */
  readonly podCidr: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly pauseImage: string;
  /** Volumes of pods and the like; survives a restart of the node. */
  readonly stateDir: string;
  readonly timings: Timings;
}

const read = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`cannot read the configuration ${file}: ${(error as Error).message}`);
  }
};

/** The configuration `orrery server --config` was given; written by `up`, so its shape is not questioned. */
export const readServerConfig = (file: string): ServerConfig => read(file) as ServerConfig;

/** The configuration `orrery agent --config` was given; written by `up`, so its shape is not questioned. */
export const readAgentConfig = (file: string): AgentConfig => read(file) as AgentConfig;

const inside = "/etc/orrery";
const pair = (name: string): KeyPair => ({ cert: `${inside}/${name}.crt`, key: `${inside}/${name}.key` });

/** What `up` tells a control plane. */
export const serverConfig = (
  clusterName: string,
  ip: string,
  store: StoreConfig,
  packing: Packing = "MostAllocated",
): ServerConfig => ({
  clusterName,
  listen: { host: "0.0.0.0", port: addresses.apiPort },
  advertiseAddress: ip,
  store,
  pki: {
    ca: `${inside}/ca.crt`,
    serving: pair("apiserver"),
    kubeletClient: pair("apiserver-kubelet-client"),
    scheduler: pair("scheduler"),
    controllerManager: pair("controller-manager"),
    tokens: `${inside}/sa.key`,
  },
  podRange: addresses.podRange,
  serviceRange: addresses.serviceRange,
  clusterDns: addresses.clusterDns,
  clusterDomain: addresses.clusterDomain,
  timings: localTimings,
  packing,
});

/** What tells one worker from another. */
export interface Worker {
  readonly name: string;
  readonly ip: string;
  readonly podCidr: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** What `up` tells a worker's agent. */
export const agentConfig = (clusterName: string, worker: Worker, controlPlaneIp: string): AgentConfig => ({
  clusterName,
  nodeName: worker.name,
  nodeIp: worker.ip,
  server: `https://${controlPlaneIp}:${addresses.apiPort}`,
  pki: { ca: `${inside}/ca.crt`, client: pair("kubelet-client"), serving: pair("kubelet") },
  kubeletPort: addresses.kubeletPort,
  dockerSocket: "/var/run/docker.sock",
  capacity: { cpuMillis: Math.round(worker.cpus * 1000), memoryBytes: worker.memoryBytes, pods: 110 },
  podCidr: worker.podCidr,
  podRange: addresses.podRange,
  serviceRange: addresses.serviceRange,
  clusterDns: addresses.clusterDns,
  clusterDomain: addresses.clusterDomain,
  pauseImage: "orrery/pause:1",
  stateDir: "/var/lib/orrery",
  timings: localTimings,
});

/** The node's own engine: it only runs containers, the network around them is the agent's business. */
export const engineConfig = (worker: Worker): object => ({
  bip: worker.podCidr.replace(/\.0\/(\d+)$/, ".1/$1"),
  dns: [addresses.clusterDns],
  iptables: false,
  "ip-masq": false,
  "userland-proxy": false,
  "live-restore": true,
  // Lets sandboxes be made ahead of the pods they will serve: see the script.
  runtimes: { orrery: { path: "/opt/orrery/kubelet/docker/hostname-runtime.sh" } },
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m", "max-file": "3" },
});
