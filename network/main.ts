// The network of one node: routes to the pods of the others, rules for services, and the cluster's names; all from one
// view.
import { readFile } from "node:fs/promises";
import { hasReason } from "../api/errors.ts";
import type { EndpointSlice, Service } from "../api/generated/types.ts";
import { endpointSlices, serviceOf } from "../api/discovery/endpointslices.ts";
import { namespaces } from "../api/core/namespaces.ts";
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import { services } from "../api/core/services.ts";
import { revision, type Key } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { informer } from "../machinery/informer.ts";
import { workQueue } from "../machinery/workqueue.ts";
import type { World } from "../machinery/world.ts";
import { runTool, type Run } from "./command.ts";
import { forwarder, upstreamsOf } from "./dns/forward.ts";
import { listenDns } from "./dns/server.ts";
import { dnsView, type DnsView } from "./dns/view.ts";
import { nftablesDataplane } from "./proxy/dataplane.ts";
import { rulesOf } from "./proxy/rules.ts";
import { layRoutes, parseRoutes, routesOf } from "./routes.ts";

export interface NetworkOptions {
  readonly nodeName: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
}

/** Changes come in bursts; this long after the first of them the rest is there as well. */
const gatherMs = 20;

function networkViews(client: Client, world: World, nodeName: string) {
  return {
    services: informer(client, services, world),
    slices: informer(client, endpointSlices, world, {
      indexes: {
        service: (s: EndpointSlice) => [serviceOf(s)],
      },
    }),
    nodes: informer(client, nodes, world),
    namespaces: informer(client, namespaces, world),
    pods: informer(client, pods, world, { selection: { fieldSelector: `spec.nodeName=${nodeName}` } }),
  };
}
type Views = ReturnType<typeof networkViews>;

const slicesIn =
  (views: Views) =>
  (s: Service): readonly EndpointSlice[] =>
    views.slices.lister.byIndex("service", `${s.metadata.namespace}/${s.metadata.name}`);

/** The three things a node's kernel and name server are kept up to date on, each with the views it follows. */
function chores(
  views: Views,
  options: NetworkOptions,
  world: World,
  run: Run,
): Readonly<Record<string, { readonly follows: readonly (keyof Views)[]; readonly work: () => Promise<void> }>> {
  const ranges = {
    pods: options.podRange,
    services: options.serviceRange,
    dns: options.clusterDns,
  };
  const dataplane = nftablesDataplane(ranges, run, world.log);
  const podPrefix = options.podRange.split(".").slice(0, 2).join(".");
  return {
    routes: {
      follows: ["nodes"],
      work: async () => {
        const present = parseRoutes(await run("ip", ["-4", "route", "show"]), podPrefix);
        await layRoutes(present, routesOf(views.nodes.lister.all(), options.nodeName), run);
      },
    },
    rules: {
      follows: ["services", "slices", "pods"],
      work: () =>
        dataplane.apply(
          rulesOf({
            nodeName: options.nodeName,
            services: views.services.lister.all(),
            slicesOf: slicesIn(views),
            pods: views.pods.lister.all(),
          }),
        ),
    },
  };
}

/** A picture for name questions, made again only when somebody asks after something changed. */
function currentNames(views: Views): () => DnsView {
  let picture: DnsView | undefined;
  for (const view of [views.services, views.slices, views.namespaces])
    view.onChange(() => {
      picture = undefined;
    });
  return () => {
    picture ??= dnsView(
      views.services.lister.all(),
      slicesIn(views),
      views.namespaces.lister.all().map((n) => n.metadata.name),
    );
    return picture;
  };
}

/** People and programs look for the name server under the name it has everywhere. */
async function announceDns(client: Client, clusterDns: string): Promise<void> {
  const ports = (["UDP", "TCP"] as const).map((protocol) => ({
    name: protocol === "UDP" ? "dns" : "dns-tcp",
    port: 53,
    protocol,
  }));
  const labels = { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "Orrery" };
  await client
    .create(services, {
      kind: "Service",
      metadata: { name: "kube-dns", namespace: "kube-system", labels },
      spec: { clusterIP: clusterDns, ports },
    })
    .catch((e: unknown) => {
      // Every node says so; the first one is heard.
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
  await listenDns(
    { address: options.clusterDns, port: 53, zone, view: currentNames(views), forward },
    world.log,
    signal,
  );
}

/** Keeps one node's network right until the signal aborts; routes and rules stay as they are then. */
export async function runNetwork(
  options: NetworkOptions,
  world: World,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const views = networkViews(client, world, options.nodeName);
  const todo = chores(views, options, world, runTool);
  const queue = workQueue<Key>(world.clock, signal);
  for (const [name, { follows }] of Object.entries(todo))
    for (const view of follows) views[view].onChange(() => queue.addAfter(name as Key, gatherMs));
  const running = Object.values(views).map((v) => v.run(signal));
  await serveNames(views, options, world, runTool, signal);
  await Promise.all(Object.values(views).map((v) => v.caughtUp(revision(0), signal)));
  for (const name of Object.keys(todo)) queue.add(name as Key);
  announceDns(client, options.clusterDns).catch((e: unknown) =>
    world.log("the name server's service was not made", { error: (e as Error).message }),
  );
  for await (const name of queue.take(signal)) {
    try {
      await todo[name]!.work();
      queue.forget(name);
    } catch (e) {
      world.log("the network is not as it should be", { chore: name, error: (e as Error).message });
      queue.retry(name);
    }
    queue.done(name);
  }
  await Promise.all(running);
}
