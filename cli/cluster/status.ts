// How a cluster is: one row for each component of each node, as an operator wants to see it.
import type { Instant } from "../../api/meta.ts";
import { type ApiCall, apiCaller, isServerReady, readAccess, readyNodes } from "./api-access.ts";
import { type ComponentState, componentsOf } from "./components.ts";
import { type NodeContainer, nodeContainers } from "./containers.ts";

/** What the API server says, where it can be asked. */
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

const isHealthy = (component: ComponentState, api: ApiView): boolean => {
  if (component.name === "server") return api.serverReady;
  if (component.name === "agent") return api.readyNodes.includes(component.node);
  return component.answers !== false;
};

/** One component's row; `stopped` speaks for a whole node. */
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

const viewOfApi = async (call: ApiCall): Promise<ApiView> => {
  const [serverReady, ready] = await Promise.all([isServerReady(call), readyNodes(call)]);
  return { serverReady, readyNodes: ready };
};

/** Asks every node and the API server, and puts it in rows. */
export const clusterStatus = async (cluster: string, now: () => Instant): Promise<readonly StatusRow[]> => {
  const ended = new AbortController();
  try {
    const call = apiCaller(await readAccess(cluster), ended.signal);
    const containers = await nodeContainers(cluster);
    const running = containers.filter((container) => container.running);
    const [api, ...components] = await Promise.all([viewOfApi(call), ...running.map(componentsOf)]);
    const rows = components.flat().map((component) => statusRow(component, api, now()));
    const stopped = containers.filter((container) => !container.running).map(stoppedRow);
    return [...rows, ...stopped];
  } finally {
    ended.abort();
  }
};
