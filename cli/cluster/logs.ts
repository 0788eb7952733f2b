// Logs of components: their files, the format of their lines, and the last lines of components that failed.
import { CliError } from "../cli-error.ts";
import { type NodeContainer, nodeContainers, runIn } from "./containers.ts";
import { componentsOf } from "./status.ts";

/** The log of a component. `only` selects its lines in the log of a process with several components. */
export interface LogSource {
  readonly file: string;
  readonly role: NodeContainer["role"];
  readonly only?: string;
}

/** The names that `component-logs` accepts: processes, and the components in them. */
export const logSources: Readonly<Record<string, LogSource>> = {
  etcd: { file: "etcd", role: "control-plane" },
  server: { file: "server", role: "control-plane" },
  apiserver: { file: "server", role: "control-plane", only: "apiserver" },
  scheduler: { file: "server", role: "control-plane", only: "scheduler" },
  controllers: { file: "server", role: "control-plane", only: "controllers" },
  registry: { file: "registry", role: "registry" },
  autoscaler: { file: "autoscaler", role: "autoscaler" },
  "load-balancer": { file: "load-balancer", role: "load-balancer" },
  dockerd: { file: "dockerd", role: "worker" },
  agent: { file: "agent", role: "worker" },
  csi: { file: "csi", role: "worker" },
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

/** A line in pino's format. */
interface Entry {
  readonly level: number;
  readonly time: number;
  readonly component?: string;
  readonly msg: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Names of pino's levels 10, 20, ... 60. */
const levels = ["trace", "debug", "info", "warn", "error", "fatal"];

const parse = (line: string): Entry | undefined => {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, time, component, msg, pid: _pid, hostname: _hostname, ...rest } = JSON.parse(line);
    return typeof level === "number" && typeof time === "number"
      ? { level, time, component, msg: msg ?? "", rest }
      : undefined;
  } catch {
    // A line truncated by a crash.
    return undefined;
  }
};

const field = ([name, value]: [string, unknown]): string =>
  `${name}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`;

/** The component that wrote a line, if the line contains it. */
export const componentOf = (line: string): string | undefined => parse(line)?.component;

/** A line as time, level, component, message and fields. Lines in other formats pass unchanged. */
export const readable = (line: string): string => {
  const entry = parse(line);
  if (entry === undefined) return line;
  const time = new Date(entry.time).toISOString().slice(11, 23);
  const level = (levels[entry.level / 10 - 1] ?? String(entry.level)).padEnd(5);
  const parts = [time, level, entry.component ?? "-", entry.msg, ...Object.entries(entry.rest).map(field)];
  return parts.filter((part) => part !== "").join(" ");
};

const indent = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${readable(line).slice(0, 300)}`)
    .join("\n");

/** The last log lines of components that are down or were restarted; empty when there are none. */
export const recentFailures = async (cluster: string): Promise<string> => {
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
