// Runs the control plane in one process: the API server, and the scheduler and controllers, which call it directly.
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { signingKey } from "../apiserver/authentication/signing.ts";
import type { ApiRequest } from "../apiserver/request/request-response.ts";
import { type ApiServer, apiServer } from "../apiserver/server.ts";
import { encryptedStorage } from "../apiserver/storage/encryption/encrypted.ts";
import { fileEncryption } from "../apiserver/storage/encryption/file.ts";
import type { Transformer } from "../apiserver/storage/encryption/transformer.ts";
import type { Storage } from "../apiserver/storage/storage.ts";
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import { builtinKinds } from "../api/builtin/kinds.ts";
import { type ControllerOptions, runControllers } from "../controllers/controllers.ts";
import type { DeschedulerOptions } from "../controllers/descheduler/controller.ts";
import { defaultSettings } from "../controllers/descheduler/ports.ts";
import { defaultStrategies } from "../controllers/descheduler/strategies.ts";
import { onAbort, orAborted } from "../machinery/abort.ts";
import type { Client } from "../machinery/client.ts";
import { componentMetrics } from "../machinery/component-metrics.ts";
import { decisionLog } from "../machinery/decisions.ts";
import { explanations } from "../machinery/explanations.ts";
import { informer } from "../machinery/informer.ts";
import { kindRegistry } from "../machinery/kind-registry.ts";
import { runAsLeader } from "../machinery/leader-election.ts";
import type { ElectionOptions } from "../machinery/lease-lock.ts";
import { realWorld } from "../machinery/real-world.ts";
import type { World } from "../machinery/world.ts";
import { type Monitoring, monitoring, monitoringComponent, type MonitoringOptions } from "../monitoring/monitoring.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import { electionOf, schedulerOptions } from "../scheduler/configuration/settings.ts";
import { runScheduler, type SchedulerOptions } from "../scheduler/scheduler.ts";
import { accountIssuer, readTls, type ServerConfig, type StoreConfig } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";
import { publishNodeSettings } from "./join/node-settings.ts";
import { reschedulingSimulation } from "./simulation.ts";
import { serverTracing } from "./tracing/server-tracing.ts";

type Kept = { readonly transformer?: Transformer };
const pemBuffers = ({ ca, cert, key }: ReturnType<typeof readTls>) => ({
  ...{ ca: Buffer.from(ca), cert: Buffer.from(cert), key: Buffer.from(key) },
});

/** Opens the configured storage. Only its module is loaded, because the etcd client is large. */
async function openStore(store: StoreConfig, kept: Kept, world: World, signal: AbortSignal): Promise<Storage> {
  switch (store.kind) {
    case "etcd": {
      const { etcdStorage } = await import("../apiserver/storage/etcd.ts");
      const { endpoints: hosts, pki } = store;
      const tls = pki && pemBuffers(readTls(pki.ca, pki.client));
      return etcdStorage({ hosts, root: "/orrery", ...(tls && { tls }), ...kept }, world, signal);
    }
    case "sqlite": {
      const { sqliteStorage } = await import("../apiserver/storage/sqlite.ts");
      return sqliteStorage({ path: store.file, now: world.clock.now, ...kept }, signal);
    }
    case "memory": {
      const { memoryStorage } = await import("../apiserver/storage/log.ts");
      return memoryStorage(world.clock.now);
    }
  }
}

/** The storage, encrypted if the configuration says so. What is in memory only is not. */
async function openStorage(
  { store, encryption }: Pick<ServerConfig, "store" | "encryption">,
  world: World,
  signal: AbortSignal,
): Promise<Storage> {
  if (!encryption || store.kind === "memory") return openStore(store, {}, world, signal);
  const transformer = fileEncryption(encryption, world, signal);
  return encryptedStorage(await openStore(store, { transformer }, world, signal), transformer);
}

/** Opens the storage; one that does not respond is waited for until the signal aborts. Rejects then. */
async function openUntil(
  signal: AbortSignal,
  closing: AbortController,
  open: () => Promise<Storage>,
): Promise<Storage> {
  const off = onAbort(signal, () => closing.abort(signal.reason));
  try {
    return await orAborted(open(), signal);
  } finally {
    off();
  }
}

/** What differs from the election of other components, or no election. */
type Election = Partial<ElectionOptions> | "none";
type Leading = (client: Client, world: World, signal: AbortSignal) => Promise<void>;

async function schedule(client: Client, world: World, options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  await Promise.all([
    runScheduler(views, client, world, options, signal),
    views.pods.run(signal),
    views.nodes.run(signal),
  ]);
}

const schedulingOptions = ({ packing, schedulerConfig }: ServerConfig, { clock }: World): SchedulerOptions =>
  schedulerConfig ? schedulerOptions(schedulerConfig, clock) : { plugins: defaultPlugins(packing) };

const year = 365 * 86_400_000;

/** What signs tokens, the cluster's authority, if its key is here, and the names that no other certificate may have. */
function signingOptions({ pki }: ServerConfig): Pick<ControllerOptions, "signing" | "signToken" | "apiServerNames"> {
  const { sign: signToken } = signingKey(readFileSync(pki.tokens, "utf8"));
  const { subjectAltName = "" } = new X509Certificate(readFileSync(pki.serving.cert));
  const apiServerNames = subjectAltName.split(", ").map((name) => name.replace(/^[^:]*:/, ""));
  if (!pki.caKey || !existsSync(pki.caKey)) return { apiServerNames, signToken };
  const pem = { cert: readFileSync(pki.ca, "utf8"), key: readFileSync(pki.caKey, "utf8") };
  return { apiServerNames, signToken, signing: { pem, longestMs: year } };
}

const deschedulerOptions = (config: ServerConfig): DeschedulerOptions => ({
  simulation: reschedulingSimulation(config),
  settings: { ...defaultSettings, strategies: defaultStrategies },
  periodMs: config.timings.rebalancePeriodMs,
});

/** How requests are authenticated, authorized and recorded, and what is kept of the past, as far as configured. */
const requestOptions = ({ audit, authentication, authorizationMode, history }: ServerConfig) => ({
  ...(history && { history }),
  ...(audit && { audit }),
  ...(authentication && { authentication }),
  ...(authorizationMode && { authorizationMode }),
});

/** The options of the controllers, beside a server that listens on this port. */
function controllersOptions(
  config: ServerConfig,
  port: number,
  shared: Pick<ControllerOptions, "kinds" | "metrics" | "decisions">,
): ControllerOptions {
  const { timings } = config;
  return {
    ...shared,
    clusterCidr: config.podRange,
    rootCa: readFileSync(config.pki.ca, "utf8"),
    ...signingOptions(config),
    joinServer: `https://${config.endpoint ?? config.advertiseAddress}:${port}`,
    nodeGraceMs: timings.nodeGraceMs,
    autoscaler: { periodMs: timings.autoscalerPeriodMs, shrinkWindowSeconds: timings.shrinkWindowSeconds },
    ...(config.rebalances && { descheduler: deschedulerOptions(config) }),
  };
}
const schedulerElection = ({ schedulerConfig }: ServerConfig): Election =>
  schedulerConfig ? (electionOf(schedulerConfig) ?? "none") : {};

/** Monitoring beside an API server. */
export const monitoringOf = (options: MonitoringOptions, server: ApiServer): Monitoring<ApiRequest> =>
  monitoring<ApiRequest>(options, {
    readNode: server.readNode,
    toLeader: async (lease, request) => {
      const { status, body, headers } = await server.toLeader(lease, request);
      return { status, body, headers: { "content-type": String(headers?.["content-type"]) } };
    },
    mayListPods: ({ user }, namespace) =>
      server.allows({ user, verb: "list", group: "", version: "v1", resource: "pods", namespace }),
  });

export interface ControlPlaneOptions {
  /** Runs the API server without scheduler and controllers. */
  readonly apiOnly?: boolean;
}

/** Resolves when the server listens; `stopped` settles when the signal has stopped all components. */
export async function startControlPlane(
  config: ServerConfig,
  signal: AbortSignal,
  { apiOnly = false }: ControlPlaneOptions = {},
): Promise<{ readonly port: number; readonly stopped: Promise<void> }> {
  const tracing = await serverTracing(config.tracing);
  const world = realWorld(componentLog("apiserver"), tracing?.tracer);
  const timings = config.timings;
  const kinds = kindRegistry(builtinKinds);
  const metrics = componentMetrics(world.clock);
  const decisions = decisionLog();
  const explained = explanations();
  // The storage is closed after the server, since requests in flight may still write.
  const closing = new AbortController();
  const storage = await openUntil(signal, closing, () => openStorage(config, world, closing.signal));
  const server = apiServer({
    storage,
    world,
    kinds,
    componentMetrics: metrics.metrics,
    explanations: explained,
    ...(tracing && { tracing: tracing.options }),
    host: config.listen.host,
    port: config.listen.port,
    tls: readTls(config.pki.ca, config.pki.serving),
    kubeletClient: readTls(config.pki.ca, config.pki.kubeletClient),
    serviceCidr: config.serviceRange,
    isReplicated: config.isReplicated === true,
    advertise: config.advertiseAddress,
    ...requestOptions(config),
    tokens: {
      issuer: accountIssuer(config.clusterDomain),
      key: readFileSync(config.pki.tokens, "utf8"),
    },
    admission: { tolerationSeconds: timings.tolerationSeconds, ...config.admission },
  });
  const metering = config.monitoring && monitoringOf(config.monitoring, server);
  const { port, closed } = await server.listen(signal, metering ? [metering.serve] : []);
  await publishNodeSettings(server.loopback, config);
  const controllerOptions = controllersOptions(config, port, { kinds, metrics, decisions });
  // Only one process listens on this address, so a restarted server may take its former leases at once.
  const identity = `${hostname()}_${config.advertiseAddress}:${port}`;
  const elected = (name: string, log: string, run: Leading, options: Election = {}): Promise<void> => {
    const own = realWorld(componentLog(log), tracing?.tracer.as(name));
    const client = server.as(name);
    if (options === "none") return run(client, own, signal);
    const election = { namespace: "kube-system", name, identity, ...timings.election, ...options };
    return runAsLeader(election, client, own, (leading, term) => run(leading, own, term), signal);
  };
  const components = (): readonly Promise<void>[] => [
    elected(
      "kube-scheduler",
      "scheduler",
      (client, own, term) =>
        schedule(client, own, { ...schedulingOptions(config, own), explanations: explained }, term),
      schedulerElection(config),
    ),
    elected("kube-controller-manager", "controllers", (client, own, term) => {
      explained.provide("decisions", decisions.of, term);
      return runControllers(client, own, controllerOptions, term);
    }),
    ...(metering ? [elected(monitoringComponent, "monitoring", metering.lead)] : []),
  ];
  const stopped = Promise.all([closed, ...(apiOnly ? [] : components())]).then(() => {});
  const ended = stopped.finally(async () => {
    closing.abort();
    await tracing?.close();
  });
  return { port, stopped: ended };
}
