// Runs a node in one process: the kubelet and the node's network, each with an identity of its own.
import { clientMetrics } from "../machinery/counters.ts";
import { httpClient } from "../machinery/http-client.ts";
import { realWorld } from "../machinery/real-world.ts";
import { networkAgent } from "../network/main.ts";
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
  const heartbeat = { leaseRenewMs: timings.leaseMs, statusCheckMs: timings.statusCheckMs };
  const access = { url, userAgent: "orrery-network", ...readTls(pki.ca, pki.network) };
  const network = networkAgent(config, networkWorld, httpClient(access, networkWorld, signal), signal);
  const settings = { ...config, heartbeat, componentMetrics: metrics.metrics, admitToNetwork: network.admit };
  await Promise.all([runKubelet(settings, world, client, signal), network.run()]);
}
