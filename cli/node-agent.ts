// Runs a node in one process: the kubelet and the node's network, each with an identity of its own.
import { existsSync, readFileSync } from "node:fs";
import type { Instant } from "../api/meta.ts";
import { type NodeCertificates, nodeCertificates } from "../kubelet/certificates/node-certificates.ts";
import { clientMetrics } from "../machinery/counters.ts";
import { httpClient } from "../machinery/http-client.ts";
import { realWorld } from "../machinery/real-world.ts";
import { networkAgent } from "../network/main.ts";
import { runKubelet } from "../kubelet/main.ts";
import { type AgentConfig, type KeyPair, readTls } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";

/** The node's certificates, beginning with those of the configuration. */
function certificatesOf({ pki, ...settings }: AgentConfig, now: Instant): Promise<NodeCertificates> {
  const read = (pair: KeyPair | undefined) =>
    pair && existsSync(pair.cert)
      ? { cert: readFileSync(pair.cert, "utf8"), key: readFileSync(pair.key, "utf8") }
      : undefined;
  return nodeCertificates(settings, { client: read(pki.client), serving: read(pki.serving) }, now);
}

/** Runs until the signal aborts. Pods keep running and network rules stay in place. */
export async function runNodeAgent(config: AgentConfig, signal: AbortSignal): Promise<void> {
  const { timings, pki, server } = config;
  const world = realWorld(componentLog("kubelet"));
  const networkWorld = realWorld(componentLog("network"));
  const metrics = clientMetrics(new URL(server).host);
  const ca = readFileSync(pki.ca, "utf8");
  const certificates = await certificatesOf(config, world.clock.now());
  const access = { url: server, userAgent: "orrery-agent", ca, pair: certificates.client.current };
  const client = httpClient(access, world, signal, metrics);
  const networkAccess = { url: server, userAgent: "orrery-network", ...readTls(pki.ca, pki.network) };
  const network = networkAgent(config, networkWorld, httpClient(networkAccess, networkWorld, signal), signal);
  const heartbeat = { leaseRenewMs: timings.leaseMs, statusCheckMs: timings.statusCheckMs };
  const tls = { ca, serving: certificates.serving };
  const metricsAndNetwork = { componentMetrics: metrics.metrics, admitToNetwork: network.admit };
  await Promise.all([
    runKubelet({ ...config, tls, heartbeat, ...metricsAndNetwork }, world, client, signal),
    network.run(),
    ...Object.values(certificates).map((certificate) => certificate.run({ client, world }, signal)),
  ]);
}
