// Runs a node in one process: the kubelet and the node's network, each with an identity of its own.
import { clientMetrics } from "../machinery/counters.ts";
import { httpClient } from "../machinery/http-client.ts";
import { realWorld } from "../machinery/real-world.ts";
import { runNetwork } from "../network/main.ts";
import { runKubelet } from "../kubelet/main.ts";
import { type AgentConfig, readTls } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";

/** Runs until the signal aborts. Pods keep running and network rules stay in place. */
export async function runNodeAgent(config: AgentConfig, signal: AbortSignal): Promise<void> {
  const { timings } = config;
  const world = realWorld(componentLog("kubelet"));
  const networkWorld = realWorld(componentLog("network"));
  const metrics = clientMetrics(new URL(config.server).host);
  const { pki, server: url } = config;
  const client = httpClient({ url, userAgent: "orrery-agent", ...readTls(pki.ca, pki.client) }, world, signal, metrics);
  const network = { url, userAgent: "orrery-network", ...readTls(pki.ca, pki.network) };
  const heartbeat = { leaseRenewMs: timings.leaseMs, statusCheckMs: timings.statusCheckMs };
  await Promise.all([
    runKubelet({ ...config, heartbeat, componentMetrics: metrics.metrics }, world, client, signal),
    runNetwork(config, networkWorld, httpClient(network, networkWorld, signal), signal),
  ]);
}
