// One process that is a node: the kubelet and the node's network, each with its own log, sharing one connection to the
// API server.
import { readFileSync } from "node:fs";
import { clientMetrics } from "../machinery/counters.ts";
import { httpClient } from "../machinery/http-client.ts";
import { realWorld } from "../machinery/real-world.ts";
import { runNetwork } from "../network/main.ts";
import { runKubelet } from "../kubelet/main.ts";
import type { AgentConfig, KeyPair } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";

const pemsOf = (ca: string, pair: KeyPair) => ({
  ca: readFileSync(ca, "utf8"),
  cert: readFileSync(pair.cert, "utf8"),
  key: readFileSync(pair.key, "utf8"),
});

/** Runs until the signal aborts. Pods and the rules of the network outlive it. */
export async function runNodeAgent(config: AgentConfig, signal: AbortSignal): Promise<void> {
  const { timings } = config;
  const world = realWorld(componentLog("kubelet"));
  const metrics = clientMetrics(new URL(config.server).host);
  const client = httpClient(
    { url: config.server, userAgent: "orrery-agent", ...pemsOf(config.pki.ca, config.pki.client) },
    world,
    signal,
    metrics,
  );
  const heartbeat = { leaseRenewMs: timings.leaseMs, statusCheckMs: timings.statusCheckMs };
  await Promise.all([
    runKubelet({ ...config, heartbeat, componentMetrics: metrics.metrics }, world, client, signal),
    runNetwork(config, realWorld(componentLog("network")), client, signal),
  ]);
}
