// Paths of the files Orrery keeps: a folder for each cluster, and a cache for all of them.
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout this program runs from, mounted into all nodes. */
export const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder of all files. */
export const orreryHome = (): string => join(homedir(), ".orrery");

/** The cache: saved images, compiled code, locks. */
export const cacheDir = (...parts: readonly string[]): string => join(orreryHome(), "cache", ...parts);

/** The folder of a cluster. `down` removes it. */
export const clusterDir = (cluster: string, ...parts: readonly string[]): string =>
  join(orreryHome(), cluster, ...parts);

/** The kubeconfig of a cluster. */
export const kubeconfigPath = (cluster: string): string => clusterDir(cluster, "kubeconfig");
