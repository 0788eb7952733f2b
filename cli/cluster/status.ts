// The state of each component of each node, from its supervisor and the API server.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Instant, instant } from "../../api/meta.ts";
import { connect } from "../client/access.ts";
import { type NodeContainer, nodeContainers, runIn } from "./containers.ts";
import { checkout } from "../paths.ts";
import { isServerReady, readyNodes } from "./readiness.ts";

/** What the supervisor of a component recorded. */
export interface ComponentState {
  readonly node: string;
  readonly name: string;
  readonly running: boolean;
  readonly restarts: number;
  /** When the component was last started. */
  readonly since: Instant | undefined;
  readonly residentBytes: number | undefined;
  /** The result of a health check on the node; undefined for components that only the API server can check. */
  readonly answers: boolean | undefined;
}

/** Readiness according to the API server. */
export interface ApiView {
  readonly serverReady: boolean;
  readonly readyNodes: readonly string[];
}

/** One line of `orrery status`. */
export interface StatusRow {
  readonly node: string;
  readonly component: string;
  readonly health: "healthy" | "unhealthy" | "not running" | "stopped";
  readonly restarts: number;
  readonly uptimeSeconds: number | undefined;
  readonly residentBytes: number | undefined;
}

const numberIn = (text: string | undefined): number | undefined =>
  text === undefined || text === "-" ? undefined : Number(text);

/** Parses the lines of images/node/components.sh: NAME PID SINCE RESTARTS EXIT RSS_KB ANSWERS. */
export const parseComponents = (node: string, text: string): readonly ComponentState[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [name, pid, since, restarts, , rss, answers] = line.trim().split(/\s+/);
      const [startedAt, kilobytes] = [numberIn(since), numberIn(rss)];
      return {
        node,
        name: name!,
        running: pid !== "-",
        restarts: numberIn(restarts) ?? 0,
        since: startedAt === undefined ? undefined : instant(startedAt * 1000),
        residentBytes: kilobytes === undefined ? undefined : kilobytes * 1024,
        answers: answers === "yes" ? true : answers === "no" ? false : undefined,
      };
    });

/** That of this version: a container's own may be of the one that made it. */
const componentsScript = (): Promise<string> => readFile(join(checkout, "images", "node", "components.sh"), "utf8");

/** The components of a running node container. */
export const componentsOf = async (container: NodeContainer): Promise<readonly ComponentState[]> =>
  parseComponents(container.name, await runIn(container.name, ["sh", "-c", await componentsScript()]));

const isHealthy = (component: ComponentState, api: ApiView): boolean => {
  if (component.name === "server") return api.serverReady;
  if (component.name === "agent") return api.readyNodes.includes(component.node);
  return component.answers !== false;
};

/** The row of one component. */
export const statusRow = (component: ComponentState, api: ApiView, now: Instant): StatusRow => ({
  node: component.node,
  component: component.name,
  health: !component.running ? "not running" : isHealthy(component, api) ? "healthy" : "unhealthy",
  restarts: component.restarts,
  uptimeSeconds:
    component.running && component.since !== undefined
      ? Math.max(0, Math.round((now - component.since) / 1000))
      : undefined,
  residentBytes: component.residentBytes,
});

const stoppedRow = (container: NodeContainer): StatusRow => ({
  node: container.name,
  component: "-",
  health: "stopped",
  restarts: 0,
  uptimeSeconds: undefined,
  residentBytes: undefined,
});

/** Asks all nodes and the API server; a stopped node has a single row. */
export const clusterStatus = async (cluster: string, now: () => Instant): Promise<readonly StatusRow[]> => {
  const api = await connect(cluster);
  const containers = await nodeContainers(cluster);
  const running = containers.filter((container) => container.running);
  const [serverReady, ready, ...components] = await Promise.all([
    isServerReady(api),
    readyNodes(api),
    ...running.map(componentsOf),
  ]);
  const rows = components.flat().map((component) => statusRow(component, { serverReady, readyNodes: ready }, now()));
  return [...rows, ...containers.filter((container) => !container.running).map(stoppedRow)];
};
