// Waits for a cluster: when its API server is ready, and which of its nodes are.
import { type Instant, instant, instantOf } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../progress.ts";
import { connect } from "../client/access.ts";
import type { Connection } from "../client/connection.ts";

/** The fields of a Node that readiness depends on. */
export interface NodeSummary {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime?: string;
    }[];
  };
}
/** The fields of a node's Lease that readiness depends on. */
export interface LeaseSummary {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly renewTime?: string };
}

const requestTimeoutMs = 2000;
const never = "1970-01-01T00:00:00Z";

/**
 * Names of the nodes that are Ready and sent a heartbeat after `since`: the condition of a node that was started again
 * is still that of before. Heartbeats of a Node have a resolution of one second.
 */
export const readySince = (
  nodes: readonly NodeSummary[],
  leases: readonly LeaseSummary[],
  since: Instant,
): readonly string[] => {
  const isReady = ({ metadata, status }: NodeSummary): boolean => {
    const ready = conditionOf(status?.conditions, "Ready");
    if (ready?.status !== "True" || since === 0) return ready?.status === "True";
    const lease = leases.find(({ metadata: { name } }) => name === metadata.name);
    const renewedAt = instantOf(lease?.spec?.renewTime ?? never);
    return Math.max(renewedAt, instantOf(ready.lastHeartbeatTime ?? never) + 999) >= since;
  };
  return nodes.filter(isReady).map((node) => node.metadata.name);
};

const itemsAt = <T>(api: Connection, path: string): Promise<readonly T[]> =>
  api.request<{ readonly items: readonly T[] }>({ path, timeoutMs: requestTimeoutMs }).then(
    ({ body }) => body.items,
    () => [],
  );

/** Names of the nodes that are Ready, with a heartbeat after `since`; none while the server does not answer. */
export const readyNodes = async (api: Connection, since: Instant = instant(0)): Promise<readonly string[]> => {
  const leasePath = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  const [nodes, leases] = await Promise.all([
    itemsAt<NodeSummary>(api, "/api/v1/nodes"),
    since === 0 ? [] : itemsAt<LeaseSummary>(api, leasePath),
  ]);
  return readySince(nodes, leases, since);
};

/** Whether the API server reports that it is ready. */
export const isServerReady = (api: Connection): Promise<boolean> =>
  api.request({ path: "/readyz", timeoutMs: requestTimeoutMs }).then(
    () => true,
    () => false,
  );

/** The workers to wait for, the earliest heartbeat that counts, and the time limit of each step. */
export interface AwaitedNodes {
  readonly workers: readonly string[];
  readonly since: Instant;
  readonly timeoutMs: number;
}

/** Waits until the API server answers and the workers are Ready. Throws CliError at the time limit. */
export const waitUntilReady = async (
  cluster: string,
  { workers, since, timeoutMs }: AwaitedNodes,
  { clock, progress }: Io,
  signal: AbortSignal,
): Promise<void> => {
  const deadline = clock.now() + timeoutMs;
  const waitFor = async (failure: string, isDone: () => Promise<boolean>): Promise<void> => {
    while (!(await isDone())) {
      if (clock.now() > deadline) throw new CliError(failure);
      await clock.sleep(100, signal);
    }
  };
  const api = await connect(cluster);
  await progress.step("API server answers", () =>
    waitFor("the API server did not answer in time", () => isServerReady(api)),
  );
  await progress.step(`${workers.length} ${workers.length === 1 ? "node" : "nodes"} Ready`, (note) =>
    waitFor("not every node became Ready in time", async () => {
      const ready = await readyNodes(api, since);
      const missing = workers.filter((name) => !ready.includes(name));
      note(`waiting for ${missing.join(", ")}`);
      return missing.length === 0;
    }),
  );
};
