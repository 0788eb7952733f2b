// How commands reach the API server: the kubeconfig as plain values, and the few questions the cluster commands ask.
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { parse } from "yaml";
import { type Instant, instant, instantOf } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import { CliError } from "../cli-error.ts";
import { kubeconfigPath } from "./paths.ts";

/** An address and the proof of who is calling, all as PEM text. */
export interface ApiAccess {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

const plain = (base64: string | undefined): string => Buffer.from(base64 ?? "", "base64").toString();

/** Reads a kubeconfig that `up` wrote: one cluster, one user, everything embedded. */
export const accessFrom = (text: string): ApiAccess => {
  const config = parse(text) as Kubeconfig;
  const { cluster } = config.clusters[0]!;
  const { user } = config.users[0]!;
  return {
    server: cluster["server"]!,
    ca: plain(cluster["certificate-authority-data"]),
    cert: plain(user["client-certificate-data"]),
    key: plain(user["client-key-data"]),
  };
};

/** How to reach a cluster by name. */
export const readAccess = async (cluster: string): Promise<ApiAccess> => {
  const text = await readFile(kubeconfigPath(cluster), "utf8").catch(() => undefined);
  if (text !== undefined) return accessFrom(text);
  const name = cluster === "orrery" ? "" : ` --name ${cluster}`;
  throw new CliError(`there is no cluster named "${cluster}"`, `Start it with: orrery up${name}`);
};

interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Asks the API server over connections that stay open until the signal ends them. */
export const apiCaller = (access: ApiAccess, signal: AbortSignal) => {
  const agent = new Agent({ ca: access.ca, cert: access.cert, key: access.key, keepAlive: true });
  onAbort(signal, () => agent.destroy());
  return (method: string, path: string, timeoutMs = 2000): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const call = request(new URL(path, access.server), { method, agent, timeout: timeoutMs, signal }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("error", reject).on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      });
      call.on("timeout", () => call.destroy(new Error("no answer in time")));
      call.on("error", reject).end();
    });
};

/** Sends one request to the API server. */
export type ApiCall = ReturnType<typeof apiCaller>;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastHeartbeatTime?: string;
}
/** As much of a Node as it takes to say whether it is Ready. */
export interface NodeSummary {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly Condition[] };
}
/** As much of a node's Lease as it takes to say when it was last heard of. */
export interface LeaseSummary {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly renewTime?: string };
}

/**
 * Names of the nodes that are Ready and were heard of since then: one that was just started again is still called Ready
 * from before. Heartbeats on a Node carry whole seconds only.
 */
export const readySince = (
  nodes: readonly NodeSummary[],
  leases: readonly LeaseSummary[],
  since: Instant,
): readonly string[] => {
  const heardAt = (node: NodeSummary, ready: Condition): number =>
    Math.max(
      instantOf(
        leases.find((lease) => lease.metadata.name === node.metadata.name)?.spec?.renewTime ?? "1970-01-01T00:00:00Z",
      ),
      instantOf(ready.lastHeartbeatTime ?? "1970-01-01T00:00:00Z") + 999,
    );
  const isReady = (node: NodeSummary): boolean => {
    const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
    return ready?.status === "True" && (since === 0 || heardAt(node, ready) >= since);
  };
  return nodes.filter(isReady).map((node) => node.metadata.name);
};

const itemsAt = async <T>(call: ApiCall, path: string): Promise<readonly T[]> => {
  const reply = await call("GET", path).catch(() => undefined);
  return reply?.status === 200 ? (JSON.parse(reply.body) as { readonly items: readonly T[] }).items : [];
};

/** Names of the nodes that say they are Ready, having said so since then; none when the server does not answer yet. */
export const readyNodes = async (call: ApiCall, since: Instant = instant(0)): Promise<readonly string[]> => {
  const leasePath = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  const [nodes, leases] = await Promise.all([
    itemsAt<NodeSummary>(call, "/api/v1/nodes"),
    since === 0 ? [] : itemsAt<LeaseSummary>(call, leasePath),
  ]);
  return readySince(nodes, leases, since);
};

/** Whether the API server says that it can serve. */
export const isServerReady = (call: ApiCall): Promise<boolean> =>
  call("GET", "/readyz").then(
    (reply) => reply.status === 200,
    () => false,
  );
