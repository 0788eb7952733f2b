// Runs a node in one process: the kubelet and the node's network, each with an identity of its own.
import { readFileSync } from "node:fs";
import type { Instant } from "../api/meta.ts";
import { type NodeCertificates, nodeCertificates } from "../kubelet/certificates/node-certificates.ts";
import { clientMetrics } from "../machinery/counters.ts";
import { httpClient } from "../machinery/http-client.ts";
import { httpSession } from "../machinery/http-session.ts";
import { realWorld } from "../machinery/real-world.ts";
import { networkAgent } from "../network/main.ts";
import { runKubelet } from "../kubelet/main.ts";
import { type AgentConfig, initialPair } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";
import { agentTracing } from "./tracing/agent-tracing.ts";

/** The node's certificates, beginning with those of the configuration. */
const certificatesOf = ({ pki, ...settings }: AgentConfig, now: Instant): Promise<NodeCertificates> =>
  nodeCertificates(
    settings,
    {
      ...{ client: initialPair(pki.client), serving: initialPair(pki.serving) },
      ...{ network: initialPair(pki.network), csi: initialPair(pki.csi) },
    },
    now,
  );

/** Runs until the signal aborts. Pods keep running and network rules stay in place. */
export async function runNodeAgent(config: AgentConfig, signal: AbortSignal): Promise<void> {
  const { timings, pki, server: url } = config;
  const log = componentLog("kubelet");
  const tracing = config.isTraced ? agentTracing(config.nodeName, realWorld(log)) : undefined;
  const world = realWorld(log, tracing?.tracer);
  const networkWorld = realWorld(componentLog("network"), tracing?.tracer.as("kube-proxy"));
  const metrics = clientMetrics(new URL(url).host);
  const ca = readFileSync(pki.ca, "utf8");
  const certificates = await certificatesOf(config, world.clock.now());
  const access = { url, ca, userAgent: "orrery-agent", pair: certificates.client.current };
  const client = httpClient(access, world, signal, metrics);
  const heartbeat = { leaseRenewMs: timings.leaseMs, statusCheckMs: timings.statusCheckMs };
  const networkAccess = { url, ca, userAgent: "orrery-network", pair: certificates.network.current };
  const network = networkAgent(config, networkWorld, httpClient(networkAccess, networkWorld, signal), signal);
  const tls = { ca, serving: certificates.serving };
  const { admit: admitToNetwork, explainService, serviceMetrics } = network;
  const ofNetwork = { admitToNetwork, explainService, ...(serviceMetrics && { serviceMetrics }) };
  const settings = { ...config, tls, heartbeat, componentMetrics: metrics.metrics, ...ofNetwork };
  await Promise.all([
    runKubelet(settings, world, client, signal),
    network.run(),
    ...(tracing ? [tracing.run(httpSession(access, realWorld(log), signal), signal)] : []),
    ...Object.values(certificates).map((certificate) => certificate.run({ client, world }, signal)),
  ]);
}
