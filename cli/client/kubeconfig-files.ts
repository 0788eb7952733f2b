// Finds and reads the kubeconfig of a command: flags, then KUBECONFIG, then ~/.kube/config, then Orrery's own clusters.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { CliError } from "../cli-error.ts";
import { clusterDir, kubeconfigPath } from "../paths.ts";
import type { Environment, GlobalFlags } from "../program/global-flags.ts";
import { emptyKubeconfig, type Kubeconfig, merged, withLocatedFiles } from "./kubeconfig.ts";
import { parsePlainYaml } from "./plain-yaml.ts";

/** The `--name` option that selects a cluster in suggested commands; empty for the default cluster. */
export const nameOption = (cluster: string): string => (cluster === "orrery" ? "" : ` --name ${cluster}`);

/** The default kubeconfig of the user. */
export const defaultKubeconfig = (): string => join(homedir(), ".kube", "config");

// Synchronous: a command reads one small file, and the thread pool would take longer to start.
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CliError(`cannot read the kubeconfig ${file}: ${(error as Error).message}`);
  }
}

/** A kubeconfig as it is in the file; undefined when the file does not exist. */
export async function readKubeconfig(file: string): Promise<Kubeconfig | undefined> {
  const text = textOf(file);
  if (text === undefined) return undefined;
  try {
    const config = (parsePlainYaml(text) ?? (await import("yaml")).parse(text) ?? {}) as Partial<Kubeconfig>;
    const { clusters, users, contexts } = config;
    return { ...config, clusters: clusters ?? [], users: users ?? [], contexts: contexts ?? [] };
  } catch (error) {
    throw new CliError(`error loading config file "${file}": ${(error as Error).message.split("\n")[0]}`);
  }
}

const readLocated = async (file: string): Promise<Kubeconfig> => {
  const config = (await readKubeconfig(file)) ?? emptyKubeconfig;
  return withLocatedFiles(config, (path) => resolve(dirname(file), path));
};

/** The kubeconfig of a cluster of Orrery. Throws CliError when there is no such cluster. */
export async function orreryKubeconfig(cluster: string): Promise<Kubeconfig> {
  const config = await readKubeconfig(kubeconfigPath(cluster));
  if (config !== undefined) return config;
  throw new CliError(`there is no cluster named "${cluster}"`, `Start it with: orrery up${nameOption(cluster)}`);
}

/** The names of Orrery's clusters and servers on this machine. */
export async function orreryClusters(): Promise<readonly string[]> {
  const names = existsSync(clusterDir("")) ? readdirSync(clusterDir("")) : [];
  const found = await Promise.all(names.map(async (name) => (await readKubeconfig(kubeconfigPath(name))) && name));
  return found.filter((name) => name !== undefined);
}

/** The files that KUBECONFIG names; empty when it is not set. */
const filesOf = (environment: Environment): readonly string[] =>
  (environment["KUBECONFIG"] ?? "").split(":").filter((file) => file !== "");

/** The kubeconfig files of a command, without Orrery's own. Changes go to the first that has the entry. */
export const kubeconfigFiles = (flags: GlobalFlags): readonly string[] => {
  if (flags.kubeconfig) return [flags.kubeconfig];
  const files = filesOf(flags.environment);
  return files.length > 0 ? files : [defaultKubeconfig()];
};

const selectsItself = (flags: GlobalFlags): boolean => Boolean(flags.context || flags.cluster || flags.server);

/** Orrery's only cluster, or the one of the default name. Throws CliError when none or several could be meant. */
async function onlyCluster(): Promise<Kubeconfig> {
  const names = await orreryClusters();
  if (names.length === 0)
    throw new CliError(
      "no cluster is configured",
      "Start one with: orrery up, or choose a kubeconfig with --kubeconfig",
    );
  if (names.length > 1 && !names.includes("orrery"))
    throw new CliError(`there are several clusters: ${names.join(", ")}`, "Choose one with --name.");
  return orreryKubeconfig(names.length === 1 ? names[0]! : "orrery");
}

/**
 * The kubeconfig of a command. In this order: `--kubeconfig`; `--name`; KUBECONFIG; ~/.kube/config, if it has a current
 * context or the flags select one; Orrery's only cluster.
 */
export async function loadKubeconfig(flags: GlobalFlags): Promise<Kubeconfig> {
  const { kubeconfig, clusterName, environment } = flags;
  if (clusterName && kubeconfig)
    throw new CliError("--name and --kubeconfig cannot be used together", "Choose the cluster with one of them.");
  if (kubeconfig) {
    if ((await readKubeconfig(kubeconfig)) === undefined)
      throw new CliError(`stat ${kubeconfig}: no such file or directory`);
    return readLocated(kubeconfig);
  }
  if (clusterName) return orreryKubeconfig(clusterName);
  const isSet = filesOf(environment).length > 0;
  const config = merged(await Promise.all(kubeconfigFiles(flags).map(readLocated)));
  if (config["current-context"] || selectsItself(flags)) return config;
  if (isSet) throw new CliError("KUBECONFIG has no current context", "Choose one with --context, or unset KUBECONFIG.");
  return onlyCluster();
}
