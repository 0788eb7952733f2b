// What explanations cost: one of a pod and of a deployment through the API, beside a GET of the same, with 1,000 nodes
// and 10,000 pods; and what is recorded for them all the time, of the CPU time of creating pods. No figure is wall time.
import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";
import { deployments } from "../api/apps/deployments.ts";
import { replicaSets } from "../api/apps/replicasets.ts";
import { namespaces } from "../api/core/namespaces.ts";
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import { serviceAccounts } from "../api/core/serviceaccounts.ts";
import type { Pod, ReplicaSet } from "../api/generated/types.ts";
import { type Draft, instant, key, ownedBy, revision } from "../api/meta.ts";
import { clusterRegistry } from "../apiserver/cluster-registry.ts";
import { objectRelations } from "../apiserver/explain/relations.ts";
import { inProcessClient } from "../apiserver/registry/in-process.ts";
import { memoryStorage } from "../apiserver/storage/log.ts";
import type { Client } from "../machinery/client.ts";
import { decisionLog } from "../machinery/decisions.ts";
import { explanations } from "../machinery/explanations.ts";
import { informer } from "../machinery/informer.ts";
import { realWorld } from "../machinery/real-world.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import { listeningServer } from "../test/suites/listening.ts";
import { median, report } from "./report.ts";

const world = realWorld(() => {});
const [nodeCount, podCount, requests] = [1_000, 10_000, 40];
const labels = { app: "web" };

const podDraft = (name: string, more: Partial<Pod["spec"]> = {}, set?: ReplicaSet): Draft<Pod> => ({
  kind: "Pod",
  metadata: { name, namespace: "default", labels, ...(set && { ownerReferences: [ownedBy(set)] }) },
  spec: { containers: [{ name: "app", image: "web:1", resources: { requests: { cpu: "100m" } } }], ...more },
});
const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } as const;
const crashing = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [
    {
      ...{ name: "app", image: "web:1", imageID: "x", containerID: "docker://x", ready: false, restartCount: 4 },
      ...{ state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated: { exitCode: 1 } } },
    },
  ],
} as const;

/** Milliseconds of CPU of this process, which also is the client. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const began = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}

async function prepare(client: Client): Promise<void> {
  const metadata = { name: "default", namespace: "default" };
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" }, spec: {} }).catch(() => {});
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata }).catch(() => {});
}

async function populate(client: Client): Promise<void> {
  await prepare(client);
  const allocatable = { cpu: "4", memory: "8Gi", pods: "110" };
  for (let i = 0; i < nodeCount; i++) {
    await client.create(nodes, { kind: "Node", metadata: { name: `node-${i}` }, spec: {} });
    const status = { allocatable, capacity: allocatable, conditions: [{ type: "Ready", status: "True" }] };
    await client.patch(nodes, key(undefined, `node-${i}`), { type: "merge", patch: { status } }, "status");
    await client.patch(nodes, key(undefined, `node-${i}`), { type: "merge", patch: { spec: { taints: null } } });
  }
  const template = { metadata: { labels }, spec: podDraft("").spec };
  const spec = { replicas: podCount, selector: { matchLabels: labels }, template };
  const deployment = await client.create(deployments, {
    ...{ kind: "Deployment", metadata: { name: "web", namespace: "default" }, spec: { ...spec, strategy: {} } },
  });
  const set = await client.create(replicaSets, {
    ...{
      kind: "ReplicaSet",
      metadata: { name: "web-1", namespace: "default", ownerReferences: [ownedBy(deployment)], labels },
    },
    spec,
  });
  await client.patch(
    replicaSets,
    key("default", "web-1"),
    {
      ...{
        type: "merge",
        patch: { status: { replicas: podCount, readyReplicas: podCount - 100, observedGeneration: 1 } },
      },
    },
    "status",
  );
  for (let i = 0; i < podCount; i++) {
    const pod = await client.create(pods, podDraft(`web-${i}`, { nodeName: `node-${i % nodeCount}` }, set));
    await client.update(pods, { ...pod, status: { ...pod.status, ...(i < 100 ? crashing : ready) } }, "status");
  }
  await client.create(
    pods,
    podDraft("huge", { containers: [{ name: "app", image: "web:1", resources: { requests: { cpu: "64" } } }] }),
  );
}

async function reading(): Promise<void> {
  const explained = explanations();
  const server = await listeningServer({ authorizationMode: "RBAC", explanations: explained });
  const decisions = decisionLog();
  const stop = new AbortController();
  explained.provide("decisions", decisions.of, stop.signal);
  const client = server.inProcess;
  await populate(client);
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  const running = Promise.all([
    runScheduler(views, client, world, { plugins: defaultPlugins(), explanations: explained }, stop.signal),
    ...[views.pods.run(stop.signal), views.nodes.run(stop.signal)],
  ]);
  const agent = new Agent({ keepAlive: true, ca: server.ca, ...server.admin });
  /** The body as text: what a client makes of it is not measured. */
  const read = async (path: string): Promise<string> => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${server.url}${path}`, { agent }, resolve).on("error", reject).end();
    });
    return (await response.toArray()).join("");
  };
  const inDefault = "/api/v1/namespaces/default/pods";
  while (!(await read(`/explain${inDefault}/huge`)).includes('"reason":"Unschedulable"')) await world.clock.sleep(100);
  const each = async (path: string): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < requests; i++) times.push(await cpuOf(() => read(path)));
    return median(times);
  };
  const web = "/apis/apps/v1/namespaces/default/deployments/web";
  for (const [what, path] of [
    ["a ready pod", `${inDefault}/web-5000`],
    ["a deployment of 10,000 pods, 100 of which crash", web],
    ["a pod that fits on none of 1,000 nodes", `${inDefault}/huge`],
  ] as const) {
    const beside = { what: "GET", value: await each(path), unit: "ms" } as const;
    report({
      what: `${what}, explained, CPU`,
      value: await each(`/explain${path}`),
      unit: "ms",
      beside,
      budget: { atMost: 50 },
    });
  }
  stop.abort();
  await running.catch(() => {});
  agent.destroy();
  await server.close();
}

/** CPU time of creating pods in process, which costs less than over HTTPS, while `follow` runs. */
async function creating(isFollowed: boolean, count = 4_000): Promise<number> {
  const stop = new AbortController();
  const registry = clusterRegistry(memoryStorage(), world, {
    serviceCidr: "10.96.0.0/16",
    nodePorts: { from: 30_000, to: 32_767 },
  });
  const client = inProcessClient(registry, { manager: "bench" });
  await prepare(client);
  const relations = objectRelations();
  const running = isFollowed ? relations.follow(client, world, stop.signal) : Promise.resolve();
  await world.clock.sleep(50);
  const spent = await cpuOf(async () => {
    for (let i = 0; i < count; i++) {
      const pod = await client.create(
        pods,
        podDraft(`pod-${i}`, { serviceAccountName: "default", automountServiceAccountToken: false }),
      );
      await client.update(pods, { ...pod, status: { ...pod.status, ...ready } }, "status");
    }
    await world.clock.sleep(20);
  });
  stop.abort();
  await running;
  return spent;
}

async function recording(): Promise<void> {
  const [on, off]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 8; turn++) {
    const isFollowed = turn % 2 === 0;
    const spent = await creating(isFollowed);
    if (turn > 1) (isFollowed ? on : off).push(spent);
  }
  // The least of each: other load on the machine only adds.
  const [followed, without] = [Math.min(...on), Math.min(...off)];
  report({
    what: "indexes of relations, of the CPU time of creating pods and reporting their status, in process",
    value: (100 * (followed - without)) / without,
    unit: "%",
    budget: { atMost: 5 },
  });
  const log = decisionLog();
  const count = 200_000;
  const spent = await cpuOf(async () => {
    for (let i = 0; i < count; i++)
      log.record({
        ...{ controller: "replicaset", kind: "ReplicaSet", key: key("default", `set-${i % 25_000}`), at: instant(i) },
        ...{
          revision: revision(i),
          reasons: [{ type: "added", kind: "ReplicaSet", key: key("default", `set-${i}`), revision: revision(i) }],
        },
        ...{ because: [`${i} desired, 0 active, 0 terminating`], actions: [`create pods default/set-${i}-abcde`] },
      });
  });
  const perPod = without / 4_000;
  report({
    what: "one recorded decision, of the CPU time of one created pod",
    value: (100 * spent) / count / perPod,
    unit: "%",
    budget: { atMost: 5 },
  });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  log.record({
    controller: "x",
    key: key("a", "b"),
    at: instant(0),
    revision: revision(0),
    reasons: [],
    because: [],
    actions: [],
  });
  report({ what: "heap with a full log of decisions", value: before / 1024 ** 2, unit: "MB", budget: { atMost: 200 } });
}

await recording();
await reading();
