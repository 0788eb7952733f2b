// Reads the contexts of the kubeconfig.
import { loadKubeconfig } from "../../client/kubeconfig-files.ts";
import { printable } from "../cells.ts";
import type { Column } from "../list.ts";
import type { Reading } from "./source.ts";

const columns: readonly Column[] = ["NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"].map((title) => ({ title }));

/** Publishes the contexts. Throws CliError when the kubeconfig cannot be read. */
export async function readContexts({ flags, publish }: Reading): Promise<void> {
  const { contexts } = await loadKubeconfig(flags);
  const changes = contexts.map(({ name, context: { cluster = "", user = "", namespace = "" } }) => ({
    id: name,
    name,
    cells: [name, cluster, user, namespace].map(printable),
  }));
  publish({ type: "rows", update: { columns, changes, replaces: true } });
}
