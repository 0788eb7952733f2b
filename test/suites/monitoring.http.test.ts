// Metrics over time on a listening server: scraped from a kubelet, queried as Prometheus is, seen by who may see them.
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { events } from "../../api/core/events.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { endpointSlices } from "../../api/discovery/endpointslices.ts";
import { clusterRoleBindings } from "../../api/rbac/rolebindings.ts";
import type { ServiceMetrics } from "../../api/explanation/monitoring.ts";
import { monitoringOf } from "../../cli/control-plane.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { commandOutcome } from "./command-outcome.ts";
import { serveDocuments } from "./kubelet-documents.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { type RawClient, rawClientOf } from "./raw-client.ts";
import { userWithRole } from "./role-user.ts";

const stop = new AbortController();
const folder = mkdtempSync(join(tmpdir(), "orrery-monitoring-"));
let server: TestServer;
let kubelet: Server;
let client: RawClient;
let running: Promise<void>;
let requests = 0;

const exposition = (): string => {
  requests += 10;
  return [
    "# HELP http_requests_total Requests.",
    "# TYPE http_requests_total counter",
    `http_requests_total{code="200"} ${requests}`,
    `http_requests_total{code="500"} ${requests / 10}`,
    "# TYPE orders_total counter",
    `orders_total ${requests}`,
    "# TYPE queue_length gauge",
    "queue_length 7",
  ].join("\n");
};
const texts = () => ({
  items: [
    {
      pod: { namespace: "shop", name: "web-1", uid: "u" },
      ...{ instance: "10.0.0.1:80", ageMs: 5, tookMs: 3, text: exposition() },
    },
  ],
});
const usage = 'container_memory_working_set_bytes{container="c",namespace="shop",pod="web-1"} 1000\n';
const documents: Readonly<Record<string, () => string>> = {
  "/metrics/pods/text": () => JSON.stringify(texts()),
  "/metrics/resource": () => usage,
  "/metrics/services": () =>
    `service_proxy_connections_total{namespace="shop",service="web",port="http"} ${requests}\n`,
};

async function createObjects(): Promise<void> {
  const { inProcess } = server;
  const namespace = "shop";
  await inProcess.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
  await inProcess.create(serviceAccounts, { kind: "ServiceAccount", metadata: { name: "default", namespace } });
  const labels = { app: "web" };
  await inProcess.create(pods, {
    kind: "Pod",
    metadata: { name: "web-1", namespace, labels: { ...labels, "pod-template-hash": "abc" } },
    spec: { containers: [{ name: "c", image: "web:1", resources: { limits: { memory: "2k" } } }] },
  });
  await inProcess.create(services, {
    kind: "Service",
    metadata: { name: "web", namespace },
    spec: { selector: labels, ports: [{ name: "http", port: 80 }] },
  });
  await inProcess.create(endpointSlices, {
    kind: "EndpointSlice",
    metadata: { name: "web-x", namespace, labels: { "kubernetes.io/service-name": "web" } },
    ...{ addressType: "IPv4", ports: [{ name: "http", port: 80 }] },
    endpoints: [
      { addresses: ["10.0.0.1"], conditions: { ready: true }, targetRef: { kind: "Pod", name: "web-1", namespace } },
    ],
  });
  const rules =
    "groups: [{name: own, rules: [{alert: QueueLong, expr: queue_length > 5, labels: {severity: page}, " +
    "annotations: {summary: '{{ $value }} orders wait in {{ $labels.pod }}'}}, {record: own:queue, expr: sum(queue_length)}]}]";
  await inProcess.create(configMaps, {
    kind: "ConfigMap",
    metadata: { name: "rules", namespace: "kube-system", labels: { "orrery.dev/metric-rules": "true" } },
    data: { "good.yaml": rules, "bad.yaml": "groups: [{name: x, rules: [{alert: A, expr: 'sum('}]}]" },
  });
}

const userWith = (name: string, resources: readonly string[], verbs: readonly string[]) =>
  userWithRole(server, { name, namespace: "shop" }, [{ apiGroups: [""], resources, verbs }]);

beforeAll(async () => {
  const options = { folder, retentionMs: 3_600_000, scrapeIntervalMs: 200 };
  let monitored: ReturnType<typeof monitoringOf> | undefined;
  server = await listeningServer({
    authorizationMode: "RBAC",
    extensions: (api) => {
      monitored = monitoringOf(options, api);
      return [monitored.serve];
    },
  });
  client = rawClientOf(server);
  kubelet = await serveDocuments(server, documents);
  await createObjects();
  running = monitored!.lead(
    server.as("orrery-monitoring"),
    realWorld(() => {}),
    stop.signal,
  );
  running.catch(() => {});
  await vi.waitFor(async () => expect(await value("count_over_time(queue_length[1m]) >= 4")).toHaveLength(1), 20_000);
});
afterAll(async () => {
  stop.abort(new Error("the tests have ended"));
  await running;
  await server.close();
  kubelet.close();
  rmSync(folder, { recursive: true });
});

const api = "/prometheus/api/v1";
async function value(query: string): Promise<readonly any[]> {
  const { data } = await client.get(`${api}/query?query=${encodeURIComponent(query)}`);
  return data.result;
}
const valuesOf = (result: readonly any[]): readonly string[] =>
  result.map(({ metric, value: [, text] }) => `${Object.values(metric).toSorted().join(" ")} ${text}`);

test("programs, usage, traffic and objects are queried together", async () => {
  expect(valuesOf(await value("queue_length"))).toEqual(["10.0.0.1:80 kubernetes-pods n1 queue_length shop web-1 7"]);
  expect(valuesOf(await value("up"))).toHaveLength(3);
  const memory =
    "sum by (pod) (container_memory_working_set_bytes) / sum by (pod) (kube_pod_container_resource_limits{resource='memory'})";
  expect(valuesOf(await value(memory))).toEqual(["web-1 0.5"]);
  expect(valuesOf(await value("max by (service) (orrery_service_up{service='web'})"))).toEqual(["web 1"]);
  expect(Number(valuesOf(await value("sum(rate(service_proxy_connections_total[10s]))"))[0])).toBeGreaterThan(0);
  expect(valuesOf(await value("own:queue"))).toEqual(["own:queue 7"]);
});

test("queries over a range, by GET and by a form", async () => {
  const now = realWorld(() => {}).clock.now() / 1000;
  const query = `query=queue_length&start=${now - 1}&end=${now}&step=0.5`;
  const byGet = await client.get(`${api}/query_range?${query}`);
  expect(byGet["data"]["resultType"]).toBe("matrix");
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const byForm = await client.send(`${api}/query_range`, { method: "POST", headers, body: query });
  expect(JSON.parse(byForm.text)).toEqual(byGet);
});

const lists: readonly (readonly [path: string, check: (data: any) => void])[] = [
  ["/labels", (data) => expect(data).toEqual(expect.arrayContaining(["__name__", "code", "job", "namespace", "pod"]))],
  ["/label/code/values", (data) => expect(data).toEqual(["200", "500"])],
  ["/label/pod/values?match[]=queue_length", (data) => expect(data).toEqual(["web-1"])],
  ["/series?match[]=http_requests_total", (data) => expect(data).toHaveLength(2)],
  [
    "/metadata?metric=orders_total",
    (data) => expect(data).toEqual({ orders_total: [{ type: "counter", help: "", unit: "" }] }),
  ],
  ["/targets", (data) => expect(data.activeTargets.map((t: any) => t.health)).toEqual(["up", "up", "up"])],
  ["/status/buildinfo", (data) => expect(data.version).toMatch(/^3\./)],
  ["/rules", (data) => expect(data.groups.map((g: any) => g.name)).toEqual(["services", "pods", "nodes", "own"])],
  [
    "/alerts",
    (data) =>
      expect(data.alerts.map((a: any) => [a.labels.alertname, a.state])).toContainEqual(["QueueLong", "firing"]),
  ],
  ["/query?query=1%2B1", (data) => expect(data.result[1]).toBe("2")],
];
for (const [path, check] of lists)
  test(`GET ${path}`, async () => {
    const { status, data } = await client.get(api + path);
    expect(status).toBe("success");
    check(data);
  });

const wrong: readonly (readonly [path: string, status: number, type: string, error: string])[] = [
  ["/query?query=sum(", 400, "bad_data", 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'],
  ["/query?query=up&time=soon", 400, "bad_data", 'invalid parameter "time": cannot parse "soon" to a valid timestamp'],
  [
    "/query_range?query=up&start=2&end=1&step=1",
    400,
    "bad_data",
    'invalid parameter "end": end timestamp must not be before start time',
  ],
  [
    "/query_range?query=up&start=1&end=2&step=0",
    400,
    "bad_data",
    'invalid parameter "step": zero or negative query resolution',
  ],
  ["/query_range?query=up&start=0&end=99999&step=1", 400, "bad_data", "exceeded maximum resolution of 11,000 points"],
  [
    "/query?query=label_replace(up,'a-b','','','')",
    422,
    "execution",
    "invalid destination label name in label_replace(): a-b",
  ],
  ["/series", 400, "bad_data", "no match[] parameter provided"],
  ["/label/a-b/values", 400, "bad_data", 'invalid label name: "a-b"'],
  ["/nothing", 404, "not_found", "there is nothing at /prometheus/api/v1/nothing"],
];
for (const [path, status, errorType, error] of wrong)
  test(`GET ${path} is refused as Prometheus refuses it`, async () => {
    const response = await client.send(api + path);
    expect(response.status).toBe(status);
    expect(JSON.parse(response.text)).toEqual({ status: "error", errorType, error: expect.stringContaining(error) });
  });

const summaryPath = "/monitoring/api/v1/namespaces/shop/services/web?step=1";
test("the figures of a service", async () => {
  const summary = (await client.get(summaryPath)) as ServiceMetrics;
  const latest = Object.fromEntries(summary.figures.map(({ name, latest }) => [name, latest]));
  expect(latest).toMatchObject({ up: 1, podsReady: 1, memory: 1000, memoryLimit: 2000, queue_length: 7 });
  expect(latest["errorRatio"]).toBeCloseTo(0.1 / 1.1, 2);
  expect(latest["orders_total"]).toBeGreaterThan(0);
  expect(summary.figures.every(({ values }) => values.length === summary.times.length)).toBe(true);
  expect(summary.versions).toMatchObject([{ revision: "abc", images: ["web:1"] }]);
  expect(summary.alerts.find(({ state }) => state === "firing")).toMatchObject({ name: "QueueLong", pod: "web-1" });
});

test("the figures are for whoever may get the service, and without pods for those who may not list them", async () => {
  const reader = await userWith("reader", ["services"], ["get"]);
  const summary = JSON.parse((await client.send(summaryPath, { as: reader })).text) as ServiceMetrics;
  expect(summary.figures.length).toBeGreaterThan(5);
  expect(JSON.stringify(summary)).not.toContain("web-1");
  expect(summary.versions).toBeUndefined();
  const lister = await userWith("lister", ["services", "pods"], ["get", "list"]);
  expect(JSON.parse((await client.send(summaryPath, { as: lister })).text).versions).toHaveLength(1);
  const stranger = await userWith("stranger", ["configmaps"], ["get"]);
  expect((await client.send(summaryPath, { as: stranger })).status).toBe(403);
  expect((await client.send(summaryPath, { as: "nobody" })).status).toBe(403);
});

test("all metrics are for those with the right to the path", async () => {
  const reader = await server.authority.issue({ name: "grafana", use: "client" });
  expect((await client.send(`${api}/query?query=up`, { as: reader })).status).toBe(403);
  await server.inProcess.create(clusterRoleBindings, {
    kind: "ClusterRoleBinding",
    metadata: { name: "grafana" },
    subjects: [{ kind: "User", name: "grafana", apiGroup: "rbac.authorization.k8s.io" }],
    roleRef: { kind: "ClusterRole", name: "orrery.dev:metrics-reader", apiGroup: "rbac.authorization.k8s.io" },
  });
  await vi.waitFor(async () => expect((await client.send(`${api}/query?query=up`, { as: reader })).status).toBe(200));
});

test("a firing alert is an event on its object, and a file with a mistake one on its ConfigMap", async () => {
  await vi.waitFor(async () => {
    const { items } = await server.inProcess.list(events);
    const shown = items.map(({ involvedObject, reason, message }) => `${involvedObject.kind} ${reason}: ${message}`);
    expect(shown).toContain("Pod QueueLong: 7 orders wait in web-1");
    expect(shown).toContain(
      "ConfigMap InvalidRules: bad.yaml: groups[0].rules[0].expr: 1:5: parse error: unclosed left parenthesis",
    );
  });
});

test("wrong requests for figures say what is wrong", async () => {
  const path = summaryPath.replace("?step=1", "");
  expect((await client.get(`${path}?step=x`))["message"]).toContain('invalid parameter "step"');
  expect((await client.get(`${path}?from=5&to=1`))["message"]).toBe(
    'invalid parameter "to": it must not be before from',
  );
  expect((await client.get(path.replace("web", "none")))["code"]).toBe(404);
  expect((await client.send(path, { method: "POST" })).status).toBe(405);
});

test("orrery alerts and orrery top service", async () => {
  const outcome = (line: string) => commandOutcome(line.split(" "), server.kubeconfig);
  expect((await outcome("alerts")).out).toMatch(
    /^ALERT +STATE .*\n(?:.*\n)*QueueLong +firing +page +shop\/pod\/web-1 +\d+s +7 orders wait in web-1/,
  );
  const { out } = await outcome("top service -n shop --since 1m");
  expect(out).toMatch(/^NAME +UP\(%\) .*\nweb +100 +1\/- .* 50% +1\n$/);
  expect((await outcome("top service web --since soon")).err).toContain('"soon" is no time to look back');
});
