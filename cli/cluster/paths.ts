// Where Orrery keeps what it must remember: one folder per cluster, and one cache for all of them.
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout this program runs from; it is mounted into every node. */
export const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const home = (): string => join(homedir(), ".orrery");

/** What survives clusters: saved images, compiled code, the locks. */
export const cacheDir = (...parts: readonly string[]): string => join(home(), "cache", ...parts);

/** The folder of one cluster; `down` removes it. */
export const clusterDir = (cluster: string, ...parts: readonly string[]): string => join(home(), cluster, ...parts);

/** The file kubectl and Orrery's own commands read to reach a cluster. */
export const kubeconfigPath = (cluster: string): string => clusterDir(cluster, "kubeconfig");
