// What is remembered of a cluster between commands: its shape, in one small file.
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import type { Packing } from "../../scheduler/plugins/resources.ts";
import { CliError } from "../cli-error.ts";
import { addresses, type Worker } from "./config.ts";
import { cacheDir, clusterDir } from "./paths.ts";
import type { Privileges } from "./privileges.ts";
import { addressIn } from "./subnet.ts";

/** The two stores a cluster may be made with; memory forgets, and so is not among them. */
export type StoreKind = "etcd" | "sqlite";

/** The shape of a cluster. Worker names and addresses never change once given. */
export interface ClusterState {
  readonly name: string;
  /** Set once everything was up; what lacks it is the remains of an `up` that was cut off. */
  readonly complete: boolean;
  readonly store: StoreKind;
  readonly packing: Packing;
  readonly subnet: string;
  readonly apiPort: number;
  readonly privileges: Privileges;
  readonly controlPlane: { readonly name: string; readonly ip: string };
  readonly workers: readonly Worker[];
}

/** What a user asks of every worker. */
export interface Size {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** The n-th worker, from 1: its name, its address and its part of the pod range all follow from n. */
export const workerNumber = (cluster: string, subnet: string, n: number, size: Size): Worker => ({
  name: `${cluster}-node-${n}`,
  ip: addressIn(subnet, 10 + n),
  podCidr: addresses.podRange.replace(".0.0/16", `.${n}.0/24`),
  ...size,
});

/** The number in a worker's name. */
export const numberOf = (worker: Worker): number => Number(/\d+$/.exec(worker.name)![0]);

/** As many workers as fit the addresses of one network. */
export const maxWorkers = 200;

/** Where the API server of a cluster is found from this machine. */
export const serverUrl = (state: ClusterState): string => `https://127.0.0.1:${state.apiPort}`;

/** Refuses names that Docker, DNS or the folder of clusters could not take. */
export const checkName = (name: string): string => {
  if (/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name) && !["cache", "host", "bridge", "none"].includes(name))
    return name;
  throw new CliError(
    `"${name}" cannot be the name of a cluster`,
    "Use up to 40 lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit.",
  );
};

const stateFile = (name: string): string => clusterDir(name, "cluster.json");

/** The state of a cluster, or nothing when there is no such cluster. */
export const readState = async (name: string): Promise<ClusterState | undefined> => {
  const text = await readFile(stateFile(name), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterState);
};

/** The state of a cluster that must exist for the command to make sense. */
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

/** Writes the state in one step, so that a crash leaves the old or the new one. */
export const writeState = async (state: ClusterState): Promise<void> => {
  await mkdir(clusterDir(state.name), { recursive: true });
  await writeFile(`${stateFile(state.name)}.new`, `${JSON.stringify(state, null, 2)}\n`);
  await rename(`${stateFile(state.name)}.new`, stateFile(state.name));
};

/** Every cluster this user has, so that a new one keeps out of their ways. */
export const allStates = async (): Promise<readonly ClusterState[]> => {
  const names = await readdir(clusterDir("")).catch(() => []);
  const states = await Promise.all(names.map(readState));
  return states.filter((state) => state !== undefined);
};

/** Held while a cluster is being changed. */
export const clusterLock = (name: string): string => cacheDir("locks", `${name}.lock`);

/** Held while a network, a port and the routes are chosen, which all clusters of a machine share. */
export const allocationLock = (): string => cacheDir("locks", ".allocation");
