// One process that is the whole control plane: the API server with the scheduler and the controllers beside it,
// speaking to it directly instead of over the wire.
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { apiServer } from "../apiserver/server.ts";
import type { Storage } from "../apiserver/storage/storage.ts";
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import { builtinKinds } from "../api/builtin/kinds.ts";
import { runControllers } from "../controllers/controllers.ts";
import type { Client } from "../machinery/client.ts";
import { componentMetrics } from "../machinery/component-metrics.ts";
import { type DecisionLog, decisionLog } from "../machinery/decisions.ts";
import { informer } from "../machinery/informer.ts";
import { kindRegistry } from "../machinery/kind-registry.ts";
import { runAsLeader } from "../machinery/leader-election.ts";
import { realWorld } from "../machinery/real-world.ts";
import type { World } from "../machinery/world.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import type { Packing } from "../scheduler/plugins/resources.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import type { KeyPair, ServerConfig, StoreConfig } from "./cluster/config.ts";
import { componentLog } from "./logging.ts";

/** The log of the cluster, as the configuration names it. Only that engine is loaded: a client of etcd is large. */
async function openStorage(store: StoreConfig, world: World, signal: AbortSignal): Promise<Storage> {
  switch (store.kind) {
    case "etcd": {
      const { etcdStorage } = await import("../apiserver/storage/etcd.ts");
      return etcdStorage({ hosts: store.endpoints, root: "/orrery" }, world, signal);
    }
    case "sqlite": {
      const { sqliteStorage } = await import("../apiserver/storage/sqlite.ts");
      return sqliteStorage({ path: store.file }, signal);
    }
    case "memory": {
      const { memoryStorage } = await import("../apiserver/storage/log.ts");
      return memoryStorage();
    }
  }
}

const tlsFrom = (ca: string, pair: KeyPair) => ({
  ca: readFileSync(ca, "utf8"),
  cert: readFileSync(pair.cert, "utf8"),
  key: readFileSync(pair.key, "utf8"),
});

type Leading = (client: Client, world: World, signal: AbortSignal) => Promise<void>;

interface Scheduling {
  readonly packing: Packing;
  readonly decisions: DecisionLog;
}
async function schedule(
  client: Client,
  world: World,
  { packing, decisions }: Scheduling,
  signal: AbortSignal,
): Promise<void> {
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  await Promise.all([
    runScheduler(views, client, world, { plugins: defaultPlugins(packing), decisions }, signal),
    views.pods.run(signal),
    views.nodes.run(signal),
  ]);
}

/** Which components run. */
export interface ControlPlaneOptions {
  /** The API server alone: others bring the scheduler and the controllers. */
  readonly apiOnly?: boolean;
}

/** Resolves once requests are answered; `stopped` settles when the signal has stopped every part. */
export async function startControlPlane(
  config: ServerConfig,
  signal: AbortSignal,
  { apiOnly = false }: ControlPlaneOptions = {},
): Promise<{ readonly port: number; readonly stopped: Promise<void> }> {
  const world = realWorld(componentLog("apiserver"));
  const timings = config.timings;
  const kinds = kindRegistry(builtinKinds);
  const metrics = componentMetrics(world.clock);
  const decisions = decisionLog();
  // The store outlives the server: who is still being answered may have something to write.
  const closing = new AbortController();
  const server = apiServer({
    storage: await openStorage(config.store, world, closing.signal),
    world,
    kinds,
    componentMetrics: metrics.metrics,
    host: config.listen.host,
    port: config.listen.port,
    tls: tlsFrom(config.pki.ca, config.pki.serving),
    kubeletClient: tlsFrom(config.pki.ca, config.pki.kubeletClient),
    serviceCidr: config.serviceRange,
    advertise: config.advertiseAddress,
    tokens: {
      issuer: `https://kubernetes.default.svc.${config.clusterDomain}`,
      key: readFileSync(config.pki.tokens, "utf8"),
    },
    admission: { tolerationSeconds: timings.tolerationSeconds },
  });
  const { port, closed } = await server.listen(signal);
  const controllerOptions = {
    ...{ kinds, metrics, decisions },
    clusterCidr: config.podRange,
    rootCa: readFileSync(config.pki.ca, "utf8"),
    nodeGraceMs: timings.nodeGraceMs,
    autoscaler: { periodMs: timings.autoscalerPeriodMs, shrinkWindowSeconds: timings.shrinkWindowSeconds },
  };
  // One process at a time listens there, so a server that starts again takes its own leases back at once.
  const identity = `${hostname()}_${config.advertiseAddress}:${port}`;
  const elected = (name: string, log: string, run: Leading): Promise<void> => {
    const own = realWorld(componentLog(log));
    const client = server.as(name);
    const election = { namespace: "kube-system", name, identity };
    return runAsLeader(election, client, own, (term) => run(client, own, term), signal);
  };
  const components = (): readonly Promise<void>[] => [
    elected("kube-scheduler", "scheduler", (client, own, term) =>
      schedule(client, own, { packing: config.packing, decisions }, term),
    ),
    elected("kube-controller-manager", "controllers", (client, own, term) =>
      runControllers(client, own, controllerOptions, term),
    ),
  ];
  const stopped = Promise.all([closed, ...(apiOnly ? [] : components())]).then(() => {});
  return { port, stopped: stopped.finally(() => closing.abort()) };
}
