// The log files of components: which file holds which log, and the last lines of components that failed.
import { CliError } from "../cli-error.ts";
import { nodeContainers, runIn } from "./containers.ts";
import { readable } from "./log-line.ts";
import { componentsOf } from "./status.ts";

/** The log of a component. `only` selects its lines in the log of a process with several components. */
export interface LogSource {
  readonly file: string;
  readonly role: "control-plane" | "worker";
  readonly only?: string;
}

/** The names that `component-logs` accepts: processes, and the components in them. */
export const logSources: Readonly<Record<string, LogSource>> = {
  etcd: { file: "etcd", role: "control-plane" },
  server: { file: "server", role: "control-plane" },
  apiserver: { file: "server", role: "control-plane", only: "apiserver" },
  scheduler: { file: "server", role: "control-plane", only: "scheduler" },
  controllers: { file: "server", role: "control-plane", only: "controllers" },
  dockerd: { file: "dockerd", role: "worker" },
  agent: { file: "agent", role: "worker" },
  kubelet: { file: "agent", role: "worker", only: "kubelet" },
  network: { file: "agent", role: "worker", only: "network" },
  images: { file: "images", role: "worker" },
};

/** The source of a name. Throws CliError for an unknown name. */
export const logSource = (name: string): LogSource => {
  const source = logSources[name];
  if (source !== undefined) return source;
  throw new CliError(`there is no component "${name}"`, `There are: ${Object.keys(logSources).join(", ")}.`);
};

/** The path of a log in its node. */
export const logPath = (source: LogSource): string => `/var/log/orrery/${source.file}.log`;

const indent = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${readable(line).slice(0, 300)}`)
    .join("\n");

/** The last log lines of components that are down or were restarted; empty when there are none. */
export const recentTrouble = async (cluster: string): Promise<string> => {
  const reports: string[] = [];
  for (const container of await nodeContainers(cluster)) {
    if (!container.running) {
      reports.push(`${container.name}: ${container.status}`);
      continue;
    }
    const failed = (await componentsOf(container)).filter((component) => !component.running || component.restarts > 0);
    for (const { name, restarts } of failed) {
      const lastLines = await runIn(container.name, ["tail", "-n", "5", `/var/log/orrery/${name}.log`]).catch(() => "");
      reports.push(
        `${container.name}: ${name} was started again ${restarts} times. It said last:\n${indent(lastLines)}`,
      );
    }
  }
  return reports.slice(0, 2).join("\n");
};
