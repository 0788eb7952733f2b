// orrery top: what nodes and pods use at this moment, as their kubelets measure it.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { Node } from "../../api/generated/types.ts";
import type { NodeMetrics, PodMetrics, Usage } from "../../api/metrics/metrics.ts";
import { milliOf, unitsOf } from "../../api/quantity.ts";
import type { Connection } from "../api/connection.ts";
import { CliError } from "../cli-error.ts";
import { textTable } from "../printers/table.ts";
import { namespaceOf, type ObjectFlags, query, selectionOf, session, withSelection } from "./object-options.ts";

const cpu = (u: Usage): number => milliOf(u["cpu"]);
const mebibytes = (u: Usage): number => Math.round(unitsOf(u["memory"]) / 1024 / 1024);
const percent = (used: number, of: number): string => (of > 0 ? `${Math.floor((100 * used) / of)}%` : "<unknown>");

async function nodes(api: Connection): Promise<string> {
  const [{ body: measured }, { body: all }] = await Promise.all([
    api.ask<{ readonly items: readonly NodeMetrics[] }>({ path: "/apis/metrics.k8s.io/v1beta1/nodes" }),
    api.ask<{ readonly items: readonly Node[] }>({ path: "/api/v1/nodes" }),
  ]);
  const rows = measured.items.map(({ metadata, usage }) => {
    const room = all.items.find((n) => n.metadata.name === metadata.name)?.status?.allocatable ?? {};
    return [
      metadata.name,
      `${cpu(usage)}m`,
      percent(cpu(usage), cpu(room)),
      `${mebibytes(usage)}Mi`,
      percent(mebibytes(usage), mebibytes(room)),
    ];
  });
  return textTable(["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"], rows);
}

async function pods(api: Connection, flags: ObjectFlags): Promise<string> {
  const namespace = namespaceOf(flags);
  const place = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const { body } = await api.ask<{ readonly items: readonly PodMetrics[] }>({
    path: `/apis/metrics.k8s.io/v1beta1${place}/pods${query(selectionOf(flags))}`,
  });
  const rows = body.items.map(({ metadata, containers }) => [
    ...(flags.allNamespaces ? [metadata.namespace ?? ""] : []),
    metadata.name,
    `${containers.reduce((sum, c) => sum + cpu(c.usage), 0)}m`,
    `${containers.reduce((sum, c) => sum + mebibytes(c.usage), 0)}Mi`,
  ]);
  return textTable([...(flags.allNamespaces ? ["NAMESPACE"] : []), "NAME", "CPU(cores)", "MEMORY(bytes)"], rows);
}

/** Adds `top` to the program. */
export const register = (program: Command): void => {
  withSelection(program.command("top <what>"))
    .summary("show what nodes or pods use")
    .addHelpText("after", "\nExamples:\n  orrery top nodes\n  orrery top pods -A")
    .action(async (what: string, flags: ObjectFlags) => {
      const { api } = await session(flags);
      const kind = ["node", "nodes", "no"].includes(what)
        ? "nodes"
        : ["pod", "pods", "po"].includes(what)
          ? "pods"
          : undefined;
      if (kind === undefined) throw new CliError(`"${what}" is not measured`, "Choose nodes or pods.");
      try {
        const rows = await (kind === "nodes" ? nodes(api) : pods(api, flags));
        process.stdout.write(rows.includes("\n") ? `${rows}\n` : "Nothing has been measured yet.\n");
      } catch (e) {
        if (!hasReason(e, "ServiceUnavailable", "NotFound")) throw e;
        throw new CliError(
          "nothing has been measured yet",
          "Kubelets measure every few seconds: try again in a moment.",
        );
      }
    });
};
