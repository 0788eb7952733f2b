// orrery top: shows the CPU and memory usage of nodes and pods from the metrics API.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { Node } from "../../api/generated/types.ts";
import type { NodeMetrics, PodMetrics, Usage } from "../../api/metrics/metrics.ts";
import { milliOf, unitsOf } from "../../api/quantity.ts";
import { CliError } from "../cli-error.ts";
import { textTable } from "../printers/table.ts";
import { query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import type { TargetFlags } from "../client/targets.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { withSelection } from "./object-options.ts";

type Flags = GlobalFlags & TargetFlags;

const cpu = (u: Usage): number => milliOf(u["cpu"]);
const mebibytes = (u: Usage): number => Math.round(unitsOf(u["memory"]) / 1024 / 1024);
const percent = (used: number, of: number): string => (of > 0 ? `${Math.floor((100 * used) / of)}%` : "<unknown>");

async function nodes({ api }: Session): Promise<string> {
  const [metrics, all] = await Promise.all([
    api.list<NodeMetrics>("/apis/metrics.k8s.io/v1beta1/nodes"),
    api.list<Node>("/api/v1/nodes"),
  ]);
  const rows = metrics.map(({ metadata, usage }) => {
    const allocatable = all.find((n) => n.metadata.name === metadata.name)?.status?.allocatable ?? {};
    return [
      metadata.name,
      `${cpu(usage)}m`,
      percent(cpu(usage), cpu(allocatable)),
      `${mebibytes(usage)}Mi`,
      percent(mebibytes(usage), mebibytes(allocatable)),
    ];
  });
  return textTable(["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"], rows);
}

async function pods({ api, namespace }: Session, flags: Flags): Promise<string> {
  const scope = flags.allNamespaces ? "" : `/namespaces/${namespace}`;
  const path = `/apis/metrics.k8s.io/v1beta1${scope}/pods${query({ labelSelector: flags.selector, fieldSelector: flags.fieldSelector })}`;
  const rows = (await api.list<PodMetrics>(path)).map(({ metadata, containers }) => [
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
    .action(async (what: string, flags: Flags) => {
      const show = /^no(des?)?$/.test(what) ? nodes : /^po(ds?)?$/.test(what) ? pods : undefined;
      if (show === undefined) throw new CliError(`"${what}" is not measured`, "Choose nodes or pods.");
      try {
        const rows = await show(await session(flags), flags);
        printLine(rows.includes("\n") ? rows : "Nothing has been measured yet.");
      } catch (e) {
        if (!hasReason(e, "ServiceUnavailable", "NotFound")) throw e;
        throw new CliError(
          "nothing has been measured yet",
          "Kubelets measure every few seconds: try again in a moment.",
        );
      }
    });
};
