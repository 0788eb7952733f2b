// Which file holds what a component says, on which nodes, and the last words of those that are in trouble.
import { CliError } from "../cli-error.ts";
import { componentsOf } from "./components.ts";
import { nodeContainers, runIn } from "./containers.ts";
import { readable } from "./log-line.ts";

/** Where a component's words are found. `only` picks its lines from a process it shares with others. */
export interface LogSource {
  readonly file: string;
  readonly role: "control-plane" | "worker";
  readonly only?: string;
}

/** Every name `component-logs` knows: the processes, and the components inside them. */
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

/** The source of a name, or a refusal that lists the names there are. */
export const logSource = (name: string): LogSource => {
  const source = logSources[name];
  if (source !== undefined) return source;
  throw new CliError(`there is no component "${name}"`, `There are: ${Object.keys(logSources).join(", ")}.`);
};

/** The path of a log inside its node. */
export const logPath = (source: LogSource): string => `/var/log/orrery/${source.file}.log`;

const indent = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${readable(line).slice(0, 300)}`)
    .join("\n");

/** The last lines of every component that is down or had to be started again; empty when all is well. */
export const recentTrouble = async (cluster: string): Promise<string> => {
  const reports: string[] = [];
  for (const container of await nodeContainers(cluster)) {
    if (!container.running) {
      reports.push(`${container.name}: ${container.status}`);
      continue;
    }
    const ill = (await componentsOf(container)).filter((component) => !component.running || component.restarts > 0);
    for (const { name, restarts } of ill) {
      const words = await runIn(container.name, ["tail", "-n", "5", `/var/log/orrery/${name}.log`]).catch(() => "");
      reports.push(`${container.name}: ${name} was started again ${restarts} times. It said last:\n${indent(words)}`);
    }
  }
  return reports.slice(0, 2).join("\n");
};
