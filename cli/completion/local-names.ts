// Names that this machine knows: entries of the kubeconfig, and Orrery's clusters, nodes and components.
import { loadKubeconfig, orreryClusters } from "../client/kubeconfig-files.ts";
import type { Kubeconfig } from "../client/kubeconfig.ts";
import { logSources } from "../cluster/logs.ts";
import { controlPlanesOf } from "../cluster/control-planes.ts";
import { readState } from "../cluster/state.ts";
import { oneOf, type Source, words } from "./offer.ts";

/** The names of clusters, contexts or users of the kubeconfig. */
export const kubeconfigEntries =
  (part: keyof Pick<Kubeconfig, "clusters" | "contexts" | "users">): Source =>
  async ({ flags: { environment, kubeconfig = "" } }) => {
    const config = await loadKubeconfig({ environment, kubeconfig });
    return words(config[part].map(({ name }) => name));
  };

/** Orrery's clusters on this machine. */
export const clusters: Source = async () => words(await orreryClusters());

/** The nodes of a cluster of Orrery. */
export const clusterNodes: Source = async ({ flags, args }) => {
  const state = await readState(String(flags["name"] ?? "orrery"));
  const names = state ? [...controlPlanesOf(state), ...state.workers].map(({ name }) => name) : [];
  return words(names.filter((name) => !args.includes(name)));
};

export const components: Source = oneOf(...Object.keys(logSources));
