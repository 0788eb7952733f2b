// The persistent state of a cluster: its nodes, addresses and options, in one JSON file.
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import type { AuditPolicy } from "../../apiserver/audit/policy.ts";
import type { KubeSchedulerConfiguration } from "../../scheduler/configuration/configuration.ts";
import type { Packing } from "../../scheduler/plugins/resource-scores.ts";
import { CliError } from "../cli-error.ts";
import { addresses, type Worker } from "./config.ts";
import { cacheDir, clusterDir } from "../paths.ts";
import type { ControlPlanes, Place } from "./control-planes.ts";
import type { HistoryLimits } from "../../apiserver/history/limits.ts";
import type { Privileges } from "./privileges.ts";
import type { TracingConfig } from "../tracing/config.ts";
import { addressIn } from "./subnet.ts";

/** The stores of a cluster. The memory store is not one of them, since it does not survive a restart. */
export type StoreKind = "etcd" | "sqlite";

/** The state of a cluster. Names and addresses of workers never change. */
export interface ClusterState extends ControlPlanes {
  readonly name: string;
  /** Set once all nodes were Ready. A state without it is left over from an interrupted `up`. */
  readonly complete: boolean;
  readonly store: StoreKind;
  readonly packing: Packing;
  /** The scheduler's configuration, from a file. */
  readonly schedulerConfig?: KubeSchedulerConfiguration;
  /** The audit policy, from a file. Without one nothing is audited. */
  readonly auditPolicy?: AuditPolicy;
  /** Set when requests and what follows from them are traced. */
  readonly tracing?: TracingConfig;
  /** How much of the past its API servers keep. */
  readonly history?: HistoryLimits;
  /** Set when its Secrets are encrypted in the store. Clusters of earlier versions are not. */
  readonly encryptsSecrets?: true;
  /** Set when its controllers move pods to free nodes and to mend rules. */
  readonly rebalances?: true;
  /** How long metrics are kept; absent when none are. */
  readonly metricsRetentionMs?: number;
  /** Clusters that earlier versions made have none. */
  readonly registry?: Place;
  readonly subnet: string;
  readonly apiPort: number;
  readonly privileges: Privileges;
  readonly workers: readonly Worker[];
  /** The size up to which the cluster autoscaler may add workers; without it there is no autoscaler. */
  readonly maxNodes?: number;
}

/** The size of a worker. */
export interface Size {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** The n-th worker, from 1. Its name, address and part of the pod range follow from n. */
export const workerNumber = (cluster: string, subnet: string, n: number, size: Size): Worker => ({
  name: `${cluster}-node-${n}`,
  ip: addressIn(subnet, 10 + n),
  podCidr: addresses.podRange.replace(".0.0/16", `.${n}.0/24`),
  ...size,
});

/** The name of the autoscaler's container and folder. */
export const autoscalerName = (cluster: string): string => `${cluster}-autoscaler`;

/** The number of a worker. */
export const numberOf = (worker: Worker): number => Number(/\d+$/.exec(worker.name)![0]);

/** The number of workers that fit the addresses of a network. */
export const maxWorkers = 200;

/** The URL of a cluster's API server on this machine. */
export const serverUrl = (state: ClusterState): string => `https://127.0.0.1:${state.apiPort}`;

/** Throws CliError for names that are invalid in Docker or DNS, or reserved in Orrery's folder. */
export const checkName = (name: string): string => {
  if (/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name) && !["cache", "host", "bridge", "none"].includes(name))
    return name;
  throw new CliError(
    `"${name}" cannot be the name of a cluster`,
    "Use up to 40 lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit.",
  );
};

const stateFile = (name: string): string => clusterDir(name, "cluster.json");

/** The state of a cluster, or undefined when it does not exist. */
export const readState = async (name: string): Promise<ClusterState | undefined> => {
  const text = await readFile(stateFile(name), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterState);
};

/** The state of a cluster. Throws CliError when it does not exist. */
export const requireState = async (name: string): Promise<ClusterState> => {
  const state = await readState(checkName(name));
  if (state !== undefined) return state;
  const others = await allStates();
  const known = others.map((other) => other.name).join(", ");
  throw new CliError(
    `there is no cluster named "${name}"`,
    known === ""
      ? "Start one with: orrery up"
      : `There is: ${known}. Choose with --name, or start this one with: orrery up --name ${name}`,
  );
};

/** Writes the state atomically. */
export const writeState = async (state: ClusterState): Promise<void> => {
  await mkdir(clusterDir(state.name), { recursive: true });
  await writeFile(`${stateFile(state.name)}.new`, `${JSON.stringify(state, null, 2)}\n`);
  await rename(`${stateFile(state.name)}.new`, stateFile(state.name));
};

/** The states of all clusters of this user. */
export const allStates = async (): Promise<readonly ClusterState[]> => {
  const names = await readdir(clusterDir("")).catch(() => []);
  const states = await Promise.all(names.map(readState));
  return states.filter((state) => state !== undefined);
};

/** The lock of changes to a cluster. */
export const clusterLock = (name: string): string => cacheDir("locks", `${name}.lock`);

/** The lock of choosing networks, ports and routes, which all clusters of a machine share. */
export const allocationLock = (): string => cacheDir("locks", ".allocation");
