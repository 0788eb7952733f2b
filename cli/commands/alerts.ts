// orrery alerts: lists the alerts whose conditions hold.
import type { Command } from "commander";
import { instantOf } from "../../api/meta.ts";
import { age } from "../../api/age.ts";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly firing?: boolean;
  readonly headers: boolean;
}
interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
}

/** Labels that name what an alert is about, and the type of it. */
const named = ["pod", "service", "deployment", "statefulset", "daemonset", "node"];
function subjectOf({ labels }: Alert): string {
  const label = named.find((name) => labels[name] !== undefined);
  if (label === undefined) return "";
  return `${labels["namespace"] === undefined ? "" : `${labels["namespace"]}/`}${label}/${labels[label]}`;
}

/** Firing alerts first, then the oldest. */
const order = (a: Alert, b: Alert): number =>
  a.state === b.state ? instantOf(a.activeAt) - instantOf(b.activeAt) : a.state === "firing" ? -1 : 1;

async function alerts(flags: Flags): Promise<void> {
  const { api } = await session(flags);
  const response = await api.get<{ readonly data?: { readonly alerts: readonly Alert[] } }>(
    "/prometheus/api/v1/alerts",
  );
  if (!response.data)
    throw new CliError(
      "the cluster keeps no metrics, and so has no alerts",
      "Create it with: orrery up --metrics-retention 24h",
    );
  const found = response.data.alerts.filter(({ state }) => flags.firing !== true || state === "firing");
  if (found.length === 0) {
    process.stderr.write(flags.firing === true ? "No alerts are firing.\n" : "No alerts are active.\n");
    return;
  }
  const rows = found
    .toSorted(order)
    .map((alert) => [
      ...[alert.labels["alertname"] ?? "", alert.state, alert.labels["severity"] ?? "", subjectOf(alert)],
      ...[age(instantOf(alert.activeAt), clock.now()), alert.annotations["summary"] ?? ""],
    ]);
  const titles = ["ALERT", "STATE", "SEVERITY", "OBJECT", "SINCE", "SUMMARY"];
  process.stdout.write(rememberingWriter(tableStyle)(flags.headers ? [titles, ...rows] : rows));
}

/** Adds `alerts` to the program. */
export const register = (program: Command): void => {
  program
    .command("alerts")
    .summary("list the alerts whose conditions hold")
    .description(
      "Lists the alerts of the cluster's rules whose conditions hold: pending until they have held long enough, then firing. Own rules are files in Prometheus' format in ConfigMaps of kube-system with the label orrery.dev/metric-rules=true.",
    )
    .option("--firing", "only those that fire")
    .option("--no-headers", "without the line of column names")
    .addHelpText("after", "\nExamples:\n  orrery alerts\n  orrery alerts --firing")
    .action(alerts);
};
