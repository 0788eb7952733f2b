// One trace from a request to a ready pod behind its service: every component in one process, the kubelet over HTTP.
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { formatTraceparent, type SpanRecord, type Trace } from "../../api/explanation/trace.ts";
import type { Service } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { roles } from "../../api/rbac/roles.ts";
import { roleBindings } from "../../api/rbac/rolebindings.ts";
import { traceStore } from "../../apiserver/traces/store.ts";
import { agentTracing } from "../../cli/tracing/agent-tracing.ts";
import { otlpExporter } from "../../cli/tracing/otlp.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { httpSession } from "../../machinery/http-session.ts";
import { informer } from "../../machinery/informer.ts";
import { preciseNow, realWorld } from "../../machinery/real-world.ts";
import { tracer } from "../../machinery/trace.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import { commandOutcome } from "./command-outcome.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { json, rawClientOf } from "./raw-client.ts";
import { image, simulatedNode, type SimulatedNode } from "./simulated-node.ts";

const plain = realWorld(() => {});
const store = traceStore();
const ended = new AbortController();
/** What a collector received. */
const exported: string[] = [];
let collector: Server;
let server: TestServer;
let node: SimulatedNode;
let running: Promise<unknown>;

/** Collects what is posted to it. */
async function listenForSpans(): Promise<{ readonly server: Server; readonly url: string }> {
  const listening = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      exported.push(Buffer.concat(chunks).toString("utf8"));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  return { server: listening, url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/v1/traces` };
}
let closeExporter: () => Promise<void>;

beforeAll(async () => {
  const receiver = await listenForSpans();
  collector = receiver.server;
  const exporter = otlpExporter(receiver.url);
  closeExporter = exporter.close;
  const record = (span: SpanRecord): void => {
    store.add(span);
    exporter.export(span);
  };
  const own = tracer({ component: "kube-apiserver", random: plain.random, now: preciseNow, record });
  const world = { ...plain, tracer: own };
  server = await listeningServer({ world, authorizationMode: "RBAC", tracing: { store, record } });
  const { signal } = ended;
  const scheduling = { ...plain, tracer: own.as("kube-scheduler") };
  const scheduler = server.as("kube-scheduler");
  const views = { pods: informer(scheduler, pods, plain), nodes: informer(scheduler, nodes, plain) };
  const autoscaler = { periodMs: 15_000, shrinkWindowSeconds: 300 };
  const options = { rootCa: server.ca, clusterCidr: "10.0.0.0/16", nodeGraceMs: 50_000, autoscaler };
  const controllers = { ...plain, tracer: own.as("kube-controller-manager") };
  const agent = agentTracing("n1", plain);
  const kubelet = { ...plain, tracer: agent.tracer };
  const certificate = await server.authority.issue({ name: "system:node:n1", groups: ["system:nodes"], use: "client" });
  const access = { url: server.url, ca: server.ca, userAgent: "kubelet", ...certificate };
  running = Promise.all([
    runScheduler(views, scheduler, scheduling, { plugins: defaultPlugins() }, signal),
    ...[views.pods.run(signal), views.nodes.run(signal)],
    runControllers(server.as("kube-controller-manager"), controllers, options, signal),
    agent.run(httpSession(access, plain, signal), signal),
  ]);
  node = await simulatedNode(server, httpClient(access, kubelet, signal), kubelet);
});
afterAll(async () => {
  await node.close();
  ended.abort();
  await running.catch(() => {});
  await closeExporter();
  await server.close();
  collector.close();
});

const selector = { app: "web" };
const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: selector },
    template: {
      metadata: { labels: selector },
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: "c", image, command: ["sh", "-c", "while :; do sleep 1; done"] }],
      },
    },
  },
};
const path = "/apis/apps/v1/namespaces/default/deployments";
const client = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", isSampled: true };

/** The name of a span without that of its object. */
const stepOf = ({ name }: SpanRecord): string => name.replace(/ default\/\S+/, "");
/** From a span to the beginning of its trace. */
function causesOf(span: SpanRecord, all: readonly SpanRecord[]): readonly string[] {
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId);
  return [stepOf(span), ...(parent ? causesOf(parent, all) : [])];
}
const traceOf = async (): Promise<Trace> => (await rawClientOf(server).get(`/traces${path}/web`)) as Trace;

/** A pod that is decided before the node is ready is decided twice. */
const nodeIsReady = (): Promise<void> =>
  vi.waitFor(
    async () => {
      const { spec, status } = await server.inProcess.get(nodes, key(undefined, "n1"));
      expect(status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
      expect(spec?.taints ?? []).toEqual([]);
    },
    { timeout: 20_000, interval: 50 },
  );

test("a change is one trace, whose spans are each caused by the one before", async () => {
  await nodeIsReady();
  await server.inProcess.create<Service>(services, {
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { selector, ports: [{ port: 80 }] },
  });
  const headers = { ...json, traceparent: formatTraceparent(client) };
  const created = await rawClientOf(server).send(path, { method: "POST", headers, body: JSON.stringify(deployment) });
  expect(created.status).toBe(201);
  const ready = await vi.waitFor(
    async () => {
      const { spans } = await traceOf();
      const slice = spans.findLast(({ name }) => /^(update|patch) endpointslices/.test(name));
      const chain = slice ? causesOf(slice, spans) : [];
      expect(chain).toContain("sync pod");
      return { spans, chain };
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(ready.spans.every(({ traceId }) => traceId === client.traceId)).toBe(true);
  const ids = new Set(ready.spans.map(({ spanId }) => spanId));
  const orphans = ready.spans.filter(({ parentSpanId }) => parentSpanId !== client.spanId && !ids.has(parentSpanId!));
  expect(orphans).toEqual([]);
  expect(ready.chain).toEqual([
    "update endpointslices",
    "reconcile endpointslice",
    "update pods/status",
    "report status",
    "sync pod",
    "update pods/binding",
    "bind",
    "schedule pod",
    "create pods",
    "reconcile replicaset",
    "create replicasets",
    "reconcile deployment",
    "create deployments",
  ]);
});

test("the kubelet's steps are parts of its work on the pod, and come from the node", async () => {
  const { spans } = await traceOf();
  const sync = spans.find(({ name }) => name.startsWith("sync pod"))!;
  const steps = spans.filter(({ parentSpanId }) => parentSpanId === sync.spanId).map(({ name }) => name);
  expect(steps).toEqual(
    expect.arrayContaining(["mount volumes", "run sandbox", "get image c", "create and start container c"]),
  );
  expect(sync).toMatchObject({ component: "kubelet", node: "n1" });
});

test("what belongs to a pod is found by the pod as well", async () => {
  const { spans } = await traceOf();
  const pod = /^create pods default\/(\S+)/.exec(spans.find(({ name }) => name.startsWith("create pods"))!.name)![1]!;
  const found = (await rawClientOf(server).get(`/traces/api/v1/namespaces/default/pods/${pod}`)) as Trace;
  expect(found).toMatchObject({ kind: "Trace", object: { kind: "Pod", name: pod }, traceId: client.traceId });
});

test("orrery trace prints the waterfall", async () => {
  const { out, code } = await commandOutcome(["trace", "deployment/web"], server.kubeconfig);
  expect(code).toBe(0);
  expect(out).toMatch(/^Trace 0af7651916cd43dd8448eb211c80319c of Deployment default\/web: \d+ spans in /);
  expect(out).toMatch(/kube-scheduler\s+schedule pod .*\n.*decide\n.*bind/);
});

test("an object without a trace, and a collection, are refused with what to do", async () => {
  const raw = rawClientOf(server);
  const missing = await raw.send("/traces/api/v1/namespaces/default/pods/nothing");
  expect([missing.status, missing.text]).toEqual([404, expect.stringContaining('pods \\"nothing\\" not found')]);
  expect((await raw.send(`/traces${path}`)).status).toBe(400);
  const posted = { method: "POST", headers: json, body: JSON.stringify({ spans: [{ traceId: "x" }] }) };
  expect(await raw.send("/traces", posted)).toMatchObject({ status: 400, text: expect.stringContaining("spans[0]") });
});

test("who may read only the deployment sees when other things happened, not what", async () => {
  const metadata = { name: "reader", namespace: "default" };
  const rules = [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] }];
  await server.inProcess.create(roles, { kind: "Role", metadata, rules });
  const [apiGroup, kind] = ["rbac.authorization.k8s.io", "RoleBinding"] as const;
  const subjects = [{ kind: "User" as const, name: "ann", apiGroup }];
  await server.inProcess.create(roleBindings, {
    ...{ kind, metadata, subjects, roleRef: { apiGroup, kind: "Role", name: "reader" } },
  });
  const as = await server.authority.issue({ name: "ann", use: "client" });
  const { text } = await rawClientOf(server).send(`/traces${path}/web`, { as });
  const { spans } = JSON.parse(text) as Trace;
  expect(spans.length).toBe((await traceOf()).spans.length);
  expect(spans.find(({ name }) => name.startsWith("create deployments"))).toBeDefined();
  expect(text).not.toContain("/pods ");
  expect(text).not.toMatch(/default\/web-/);
  const refused = await rawClientOf(server).send("/traces/api/v1/namespaces/default/services/web", { as });
  expect(refused.status).toBe(403);
});

test("a node may send spans, another user may not", async () => {
  const body = JSON.stringify({ spans: [] });
  const post = async (name: string, groups: readonly string[]): Promise<number> => {
    const as = await server.authority.issue({ name, groups: [...groups], use: "client" });
    return (await rawClientOf(server).send("/traces", { method: "POST", headers: json, body, as })).status;
  };
  expect([await post("system:node:n1", ["system:nodes"]), await post("ann", [])]).toEqual([200, 403]);
});

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: unknown }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (SpanRecord & { readonly startTimeUnixNano: string })[];
    }[];
  }[];
}

test("spans are exported to a collector, with their component as the service", async () => {
  const { spans } = await traceOf();
  const received = await vi.waitFor(
    () => {
      const found = exported.flatMap((text) => (JSON.parse(text) as Exported).resourceSpans);
      const all = found.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ span, resource: resource.attributes }))),
      );
      const own = all.filter(({ span }) => span.traceId === client.traceId);
      expect(own.length).toBeGreaterThanOrEqual(spans.length);
      return own;
    },
    { timeout: 10_000, interval: 100 },
  );
  const sync = spans.find(({ name }) => name.startsWith("sync pod"))!;
  const same = received.find(({ span }) => span.spanId === sync.spanId)!;
  expect(same.span).toMatchObject({ parentSpanId: sync.parentSpanId, name: sync.name });
  expect(Number(same.span.startTimeUnixNano) / 1e6).toBeCloseTo(sync.start, 0);
  expect(same.resource).toEqual(
    expect.arrayContaining([
      { key: "service.name", value: { stringValue: "kubelet" } },
      { key: "k8s.node.name", value: { stringValue: "n1" } },
    ]),
  );
});
