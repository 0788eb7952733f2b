// Configuration files of `orrery server`, `orrery agent` and the engines of nodes; the addresses all clusters use.
import { existsSync, readFileSync } from "node:fs";
import type { AuthorizationMode } from "../../apiserver/server.ts";
import type { AuthenticationOptions } from "../../apiserver/authentication/oidc/configuration.ts";
import type { AdmissionConfig } from "../../apiserver/admission/plugins.ts";
import type { AuditOptions } from "../../apiserver/audit/recording.ts";
import type { HistoryLimits } from "../../apiserver/history/limits.ts";
import type { EncryptionFile } from "../../apiserver/storage/encryption/file.ts";
import type { KubeSchedulerConfiguration } from "../../scheduler/configuration/configuration.ts";
import type { Packing } from "../../scheduler/plugins/resource-scores.ts";
import type { TracingConfig } from "../tracing/config.ts";
import { clusterAutoscalerTimings, localTimings } from "./timings.ts";

/** The address ranges and names of every cluster: those that are usual in Kubernetes. */
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

/** The issuer of service account tokens. */
export const accountIssuer = (clusterDomain: string): string => `https://kubernetes.default.svc.${clusterDomain}`;

/** The storage of the API server. */
export type StoreConfig =
  | {
      readonly kind: "etcd";
      readonly endpoints: readonly string[];
      /** The authority of etcd's certificate, and the client certificate of this API server. */
      readonly pki?: { readonly ca: string; readonly client: KeyPair };
    }
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "memory" };

/** Paths of a certificate and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const { podRange, serviceRange, clusterDns, clusterDomain } = addresses;
/** What the control plane and the nodes of a cluster agree on. */
const shared = { podRange, serviceRange, clusterDns, clusterDomain, timings: localTimings };
type SharedConfig = Readonly<typeof shared>;

/** Configuration of a control plane: API server, scheduler and controllers in one process. */
export interface ServerConfig extends SharedConfig {
  readonly listen: { readonly host: string; readonly port: number };
  /** The API server's address for agents and users; the endpoint of the `kubernetes` service. */
  readonly advertiseAddress: string;
  /** Where nodes reach the API, if that is not this server's own address. */
  readonly endpoint?: string;
  readonly store: StoreConfig;
  readonly pki: {
    /** Signs all certificates of the cluster; clients must present one of them. */
    readonly ca: string;
    /** The key of that authority, by which requested certificates are signed; without it, none are. */
    readonly caKey?: string;
    readonly serving: KeyPair;
    /** The API server's client certificate for requests to kubelets: logs, exec and metrics. */
    readonly kubeletClient: KeyPair;
    readonly scheduler: KeyPair;
    readonly controllerManager: KeyPair;
    /** The key that signs tokens of service accounts. */
    readonly tokens: string;
  };
  /** How the scheduler scores nodes by load: fill them up, or spread pods. */
  readonly packing: Packing;
  /** The scheduler's own configuration, from a file; it is used instead of `packing`. */
  readonly schedulerConfig?: KubeSchedulerConfiguration;
  /** Set when the descheduler runs among the controllers. */
  readonly rebalances?: true;
  /** What is configured of admission. */
  readonly admission?: Partial<Pick<AdmissionConfig, "podSecurity">>;
  /** Providers of tokens outside the cluster, and who is anonymous. */
  readonly authentication?: AuthenticationOptions;
  /** Set when events of requests are recorded. */
  readonly audit?: AuditOptions | undefined;
  /** How much of the past is kept in memory. */
  readonly history?: HistoryLimits;
  /** Set when objects are encrypted in the store. */
  readonly encryption?: EncryptionFile;
  /** Set when metrics are kept over time: where, how long, and how often they are read. */
  readonly monitoring?: { readonly folder: string; readonly retentionMs: number; readonly scrapeIntervalMs: number };
  /** Set when several API servers share the store. */
  readonly isReplicated?: true;
  /** The address of the cluster's registry for nodes that join. Without one they have none. */
  readonly registry?: string;
  /** Set when requests and what follows from them are traced. */
  readonly tracing?: TracingConfig;
  /** How requests are authorized; by RBAC unless set. */
  readonly authorizationMode?: AuthorizationMode;
}

/** Configuration of a node: kubelet and node network in one process. */
export interface AgentConfig extends SharedConfig {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly server: string;
  readonly pki: {
    readonly ca: string;
    /** The node's first identity for the API server: user system:node:NAME, group system:nodes. */
    readonly client?: KeyPair;
    /** The first certificate of the kubelet's own port. */
    readonly serving?: KeyPair;
    /** The first identity of the node's network: user system:kube-proxy. */
    readonly network?: KeyPair;
    /** The first identity of the controllers beside the node's CSI drivers: group orrery.dev:csi-drivers. */
    readonly csi?: KeyPair;
  };
  /** Set when what the node does is traced. */
  readonly isTraced?: true;
  /** The lifetime of renewed certificates, where it is shorter than the signer's. */
  readonly certificateSeconds?: number;
  readonly kubeletPort: number;
  readonly dockerSocket: string;
  /** The resources of the node's container; the engine would report those of the machine. */
  readonly capacity: { readonly cpuMillis: number; readonly memoryBytes: number; readonly pods: number };
  /** The node's part of the pod range, registered in its Node. */
  readonly podCidr: string;
  readonly pauseImage: string;
  /** The address of the cluster's registry. */
  readonly registry?: string;
  /** Set when the traffic of services is counted. */
  readonly countsTraffic?: true;
  /** Volumes of pods and other state that survives a restart of the node. */
  readonly stateDir: string;
}

/** Reads a configuration file. Its shape is not checked: `up` wrote it. */
export const readConfig = <T extends object>(file: string): T => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch (error) {
    throw new Error(`cannot read the configuration ${file}: ${(error as Error).message}`);
  }
};

/** The PEM texts of an authority's certificate and of a key pair, as TLS options. */
export const readTls = (ca: string, pair: KeyPair) => ({
  ca: readFileSync(ca, "utf8"),
  cert: readFileSync(pair.cert, "utf8"),
  key: readFileSync(pair.key, "utf8"),
});

/** The PEM texts of a pair that a node begins with, if its configuration has one. */
export const initialPair = (pair: KeyPair | undefined): { readonly cert: string; readonly key: string } | undefined =>
  pair && existsSync(pair.cert)
    ? { cert: readFileSync(pair.cert, "utf8"), key: readFileSync(pair.key, "utf8") }
    : undefined;

/** The node's folder for volumes of the driver `local`. */
export const localVolumesDir = "/var/lib/local-volumes";
/** The folder behind all nodes, for volumes of the driver `shared`. */
export const sharedVolumesDir = "/var/lib/shared-volumes";

/** The folder of configuration and certificates inside a node container. */
export const nodeConfigDir = "/etc/orrery";

export const pairIn = (dir: string, name: string): KeyPair => ({
  cert: `${dir}/${name}.crt`,
  key: `${dir}/${name}.key`,
});

/** The configuration of a control plane whose certificates are in `dir`. */
export const serverConfig = (
  dir: string,
  ip: string,
  store: StoreConfig,
  packing: Packing = "MostAllocated",
): ServerConfig => ({
  ...shared,
  listen: { host: "0.0.0.0", port: addresses.apiPort },
  advertiseAddress: ip,
  store,
  pki: {
    ca: `${dir}/ca.crt`,
    caKey: `${dir}/ca.key`,
    serving: pairIn(dir, "apiserver"),
    kubeletClient: pairIn(dir, "apiserver-kubelet-client"),
    scheduler: pairIn(dir, "scheduler"),
    controllerManager: pairIn(dir, "controller-manager"),
    tokens: `${dir}/sa.key`,
  },
  packing,
});

/** The properties of one worker node. */
export interface Worker {
  readonly name: string;
  readonly ip: string;
  readonly podCidr: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Set for a node that the cluster autoscaler added. */
  readonly added?: true;
  /** Set while such a node is being removed: what is left of it must go. */
  readonly removing?: true;
}

/** Configuration of the cluster autoscaler, which runs in a container of its own. */
export interface AutoscalerConfig {
  readonly cluster: string;
  readonly server: string;
  readonly pki: { readonly ca: string; readonly client: KeyPair };
  readonly maxNodes: number;
  readonly packing: Packing;
  /** As of the scheduler whose decisions it foresees. */
  readonly schedulerConfig?: KubeSchedulerConfiguration;
  readonly timings: typeof clusterAutoscalerTimings;
}

/** The configuration of a cluster's autoscaler. */
export const autoscalerConfig = (
  cluster: string,
  endpointIp: string,
  { maxNodes, packing, schedulerConfig }: Pick<AutoscalerConfig, "maxNodes" | "packing" | "schedulerConfig">,
): AutoscalerConfig => ({
  ...{ cluster, maxNodes, packing, timings: clusterAutoscalerTimings },
  ...(schedulerConfig && { schedulerConfig }),
  server: `https://${endpointIp}:${addresses.apiPort}`,
  pki: { ca: `${nodeConfigDir}/ca.crt`, client: pairIn(nodeConfigDir, "cluster-autoscaler") },
});

/** What a worker of this size offers to pods. */
export const capacityOf = ({ cpus, memoryBytes }: Pick<Worker, "cpus" | "memoryBytes">): AgentConfig["capacity"] => ({
  ...{ cpuMillis: Math.round(cpus * 1000), memoryBytes, pods: 110 },
});

/** The image of sandboxes. */
export const pauseImage = "orrery/pause:1";

/** The configuration of a worker's agent. */
export const agentConfig = (
  worker: Worker,
  endpointIp: string,
  further: Pick<AgentConfig, "registry" | "isTraced" | "countsTraffic"> = {},
): AgentConfig => ({
  ...shared,
  nodeName: worker.name,
  nodeIp: worker.ip,
  server: `https://${endpointIp}:${addresses.apiPort}`,
  pki: {
    ca: `${nodeConfigDir}/ca.crt`,
    client: pairIn(nodeConfigDir, "kubelet-client"),
    serving: pairIn(nodeConfigDir, "kubelet"),
    network: pairIn(nodeConfigDir, "network"),
    csi: pairIn(nodeConfigDir, "csi"),
  },
  kubeletPort: addresses.kubeletPort,
  dockerSocket: "/var/run/docker.sock",
  capacity: capacityOf(worker),
  podCidr: worker.podCidr,
  pauseImage,
  ...further,
  stateDir: "/var/lib/orrery",
});

/** The daemon.json of a node's engine, which only runs containers: the agent programs the node's network. */
export const engineConfig = (worker: Worker, program = "/opt/orrery"): object => ({
  bip: worker.podCidr.replace(/\.0\/(\d+)$/, ".1/$1"),
  dns: [clusterDns],
  iptables: false,
  "ip-masq": false,
  "userland-proxy": false,
  "live-restore": true,
  // Allows sandboxes to be created before their pods are known; see the script.
  runtimes: { orrery: { path: `${program}/kubelet/docker/hostname-runtime.sh` } },
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m", "max-file": "3" },
});
