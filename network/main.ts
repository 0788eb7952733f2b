// The network agent of one node: routes to the pods of other nodes, the service proxy, its health checks, cluster DNS.
import { readFile } from "node:fs/promises";
import { hasReason } from "../api/errors.ts";
import type { ProxyRule } from "../api/explanation/explanation.ts";
import type { EndpointSlice, Node, Service } from "../api/generated/types.ts";
import { endpointSlices, serviceOf } from "../api/discovery/endpointslices.ts";
import { namespaces } from "../api/core/namespaces.ts";
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import { services } from "../api/core/services.ts";
import { type ApiObject, key, type Key, revision } from "../api/meta.ts";
import { networkPolicies } from "../api/networking/networkpolicies.ts";
import type { Client } from "../machinery/client.ts";
import { informer } from "../machinery/informer.ts";
import { workQueue } from "../machinery/workqueue.ts";
import type { World } from "../machinery/world.ts";
import { applySpans } from "./apply-spans.ts";
import { runTool, type Run } from "./command.ts";
import { forwarder, upstreamsOf, listenDns } from "./dns/server.ts";
import { dnsView, type DnsView } from "./dns/view.ts";
import { peerView, policyAgent, type PolicyAgent } from "./policy/agent.ts";
import { nftablesDataplane } from "./proxy/dataplane.ts";
import { type HealthCheckServers, healthCheckServers, healthChecksOf } from "./proxy/health-checks.ts";
import { rulesOf, type Ruleset } from "./proxy/rules.ts";
import { serviceRules } from "./proxy/service-rules.ts";
import { zoneOf } from "./proxy/topology.ts";
import { type TrafficCounters, trafficCounters } from "./proxy/traffic.ts";
import { applyRoutes, parseRoutes, routesOf } from "./routes.ts";

interface NetworkOptions {
  readonly nodeName: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  /** Counts the traffic of services. */
  readonly countsTraffic?: boolean;
}

/** Changes that arrive within this time after the first are handled together. */
const batchMs = 20;

function networkViews(client: Client, world: World, nodeName: string) {
  return {
    services: informer(client, services, world),
    slices: informer(client, endpointSlices, world, { indexes: { service: (s: EndpointSlice) => [serviceOf(s)] } }),
    nodes: informer(client, nodes, world),
    namespaces: informer(client, namespaces, world),
    policies: informer(client, networkPolicies, world),
    pods: informer(client, pods, world, { selection: { fieldSelector: `spec.nodeName=${nodeName}` } }),
  };
}
type Views = ReturnType<typeof networkViews>;

const slicesIn =
  (views: Views) =>
  (s: Service): readonly EndpointSlice[] =>
    views.slices.lister.byIndex("service", `${s.metadata.namespace}/${s.metadata.name}`);

interface Task {
  /** The views whose changes make the task run. */
  readonly follows: readonly (keyof Views)[];
  /** Which changes of nodes matter; all if absent. */
  readonly isAffected?: (node: Node, before: Node | undefined) => boolean;
  readonly work: () => Promise<void>;
}

interface TaskPorts {
  readonly world: World;
  readonly run: Run;
  readonly health: HealthCheckServers;
  readonly policy: PolicyAgent;
  /** Receives each ruleset when packets follow it. */
  readonly applied: (rules: Ruleset) => void;
  /** Absent where nothing is counted. */
  readonly traffic: TrafficCounters | undefined;
}

/** The tasks that keep the kernel and the health checks up to date, by name. */
function tasksOf(
  views: Views,
  options: NetworkOptions,
  { world, run, health, policy, applied, traffic }: TaskPorts,
): Readonly<Record<string, Task>> {
  const ranges = { pods: options.podRange, services: options.serviceRange, dns: options.clusterDns };
  const dataplane = nftablesDataplane(ranges, run, world.log);
  const { nodeName } = options;
  const proxied = () => ({
    nodeName,
    zone: zoneOf(views.nodes.lister.get(key(undefined, nodeName))),
    services: views.services.lister.all(),
    slicesOf: slicesIn(views),
  });
  const podPrefix = options.podRange.split(".").slice(0, 2).join(".");
  return {
    routes: {
      follows: ["nodes"],
      work: async () => {
        const current = parseRoutes(await run("ip", ["-4", "route", "show"]), podPrefix);
        await applyRoutes(current, routesOf(views.nodes.lister.all(), options.nodeName), run);
      },
    },
    rules: {
      follows: ["services", "slices", "pods", "nodes"],
      isAffected: (node, before) => node.metadata.name === nodeName && zoneOf(node) !== zoneOf(before),
      work: async () => {
        const rules = rulesOf({ ...proxied(), pods: views.pods.lister.all() });
        await dataplane.apply(rules);
        applied(rules);
      },
    },
    policies: { follows: [], work: policy.enforce },
    ...(traffic && { traffic: { follows: ["services"], work: () => traffic.count(proxied()) } satisfies Task }),
    "health checks": { follows: ["services", "slices"], work: () => health.serve(healthChecksOf(proxied())) },
  };
}

/** The names that DNS serves, computed at the first query after a change. */
function currentNames(views: Views): () => DnsView {
  let current: DnsView | undefined;
  for (const view of [views.services, views.slices, views.namespaces])
    view.onChange(() => {
      current = undefined;
    });
  return () => {
    current ??= dnsView(
      views.services.lister.all(),
      slicesIn(views),
      views.namespaces.lister.all().map((n) => n.metadata.name),
    );
    return current;
  };
}

/** Creates the `kube-dns` service, under which other programs look for the name server. */
async function createDnsService(client: Client, clusterDns: string): Promise<void> {
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
  ] as const;
  const labels = { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "Orrery" };
  const metadata = { name: "kube-dns", namespace: "kube-system", labels };
  await client.create(services, { kind: "Service", metadata, spec: { clusterIP: clusterDns, ports } }).catch((e) => {
    // Every node tries; the first one succeeds.
    if (!hasReason(e, "AlreadyExists", "Invalid")) throw e;
  });
}

async function serveNames(
  views: Views,
  options: NetworkOptions,
  world: World,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  await run("ip", ["address", "replace", `${options.clusterDns}/32`, "dev", "lo"]);
  const upstreams = upstreamsOf(await readFile("/etc/resolv.conf", "utf8"), options.clusterDns);
  const zone = { domain: options.clusterDomain, serial: Math.floor(world.clock.now() / 1000) };
  const forward = forwarder(upstreams, world.clock);
  const server = { address: options.clusterDns, port: 53, zone, view: currentNames(views), forward };
  await listenDns(server, world.log, signal);
}

/** The network of a node. */
export interface NetworkAgent extends Pick<PolicyAgent, "admit"> {
  /** What the rules in the kernel do with packets to a service; none before the first rules are applied. */
  explainService(key: Key): readonly ProxyRule[];
  /** The traffic of services through this node, as Prometheus' text; absent where it is not counted. */
  readonly serviceMetrics?: () => Promise<string>;
  /** Runs until the signal aborts; routes and rules stay in the kernel then. */
  run(): Promise<void>;
}

export function networkAgent(options: NetworkOptions, world: World, client: Client, signal: AbortSignal): NetworkAgent {
  const views = networkViews(client, world, options.nodeName);
  const health = healthCheckServers();
  const queue = workQueue<Key>(world.clock, signal);
  const enforceSoon = (): void => queue.addAfter("policies" as Key, batchMs);
  const policyViews = { ...views, peers: peerView(client, world) };
  const policy = policyAgent(policyViews, { run: runTool, log: world.log, changed: enforceSoon }, signal);
  const spans = world.tracer && applySpans(world.tracer);
  let present: Ruleset | undefined;
  const applied = (rules: Ruleset): void => {
    present = rules;
  };
  const traffic = options.countsTraffic === true ? trafficCounters(runTool) : undefined;
  const tasks = tasksOf(views, options, { world, run: runTool, health, policy, applied, traffic });
  for (const [name, { follows, isAffected = () => true }] of Object.entries(tasks)) {
    const run = (changed: ApiObject): void => {
      spans?.changed(name, changed);
      queue.addAfter(name as Key, batchMs);
    };
    for (const view of follows)
      if (view === "nodes") views.nodes.onChange((node, before) => isAffected(node, before) && run(node));
      else views[view].onChange(run);
  }
  const work = async (): Promise<void> => {
    for await (const name of queue.take(signal)) {
      const begun = spans?.begin(name, options.nodeName) ?? [];
      try {
        await tasks[name]!.work();
        queue.forget(name);
        for (const span of begun) span.end();
      } catch (e) {
        for (const span of begun) span.end({ error: (e as Error).message });
        world.log("network task failed", { task: name, error: (e as Error).message });
        queue.retry(name);
      }
      queue.done(name);
    }
  };
  return {
    admit: policy.admit,
    explainService(k) {
      const service = views.services.lister.get(k);
      return service && present ? serviceRules(service, present) : [];
    },
    ...(traffic && { serviceMetrics: traffic.metrics }),
    async run() {
      const running = Object.values(views).map((v) => v.run(signal));
      await serveNames(views, options, world, runTool, signal);
      await Promise.all(Object.values(views).map((v) => v.caughtUp(revision(0), signal)));
      for (const name of Object.keys(tasks)) queue.add(name as Key);
      createDnsService(client, options.clusterDns).catch((e: unknown) =>
        world.log("the name server's service was not made", { error: (e as Error).message }),
      );
      await work();
      await health.serve(new Map());
      await Promise.all(running);
    },
  };
}
