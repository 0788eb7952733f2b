// The custom and the external metrics API over what kubelets scraped, for both carriers of the client and in raw form.
import type { Server } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiServices } from "../../api/apiregistration/apiservices.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { key } from "../../api/meta.ts";
import type { MetricQuery, MetricSeries, ScrapedPod } from "../../api/metrics/values.ts";
import type { Client } from "../../machinery/client.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { serveDocuments } from "./kubelet-documents.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { type RawClient, rawClientOf } from "./raw-client.ts";

const world = realWorld(() => {});
const stop = new AbortController();
let server: TestServer;
let kubelet: Server;
let rawClient: RawClient;
let clients: Readonly<Record<string, Client>>;

const custom = "/apis/custom.metrics.k8s.io/v1beta2";
const external = "/apis/external.metrics.k8s.io/v1beta1";
const timestamp = "2026-01-01T12:00:00Z";
const container = { containers: [{ name: "c", image: "i" }] };
let items: readonly ScrapedPod[] = [];

/** Creates a pod; and what the kubelet of its node is to scrape from it. */
async function pod(
  name: string,
  app: string,
  series: readonly MetricSeries[],
  namespace = "default",
): Promise<ScrapedPod> {
  const metadata = { name, namespace, labels: { app } };
  const { uid } = (await server.inProcess.create(pods, { kind: "Pod", metadata, spec: container })).metadata;
  return { pod: { namespace, name, uid }, timestamp, series };
}
const depth = (value: number, queue: string): MetricSeries => ({ name: "depth", labels: { queue }, value });
const hits = (value: number, windowSeconds: number): MetricSeries => ({
  name: "hits",
  labels: {},
  value,
  windowSeconds,
});

beforeAll(async () => {
  server = await listeningServer();
  rawClient = rawClientOf(server);
  const { url, ca, admin } = server;
  const overHttp = httpClient({ url, ca, ...admin, userAgent: "suite" }, world, stop.signal);
  clients = { "in process": server.inProcess, http: overHttp };
  kubelet = await serveDocuments(server, { "/metrics/pods": () => JSON.stringify({ items }) });
});
afterAll(async () => {
  stop.abort();
  kubelet.closeAllConnections();
  kubelet.close();
  await server.close();
});

const query = (described: MetricQuery["described"], more: Partial<MetricQuery> = {}): MetricQuery => ({
  ...{ namespace: "default", metric: "depth", ...(described && { described }) },
  ...more,
});
/** Waits until the cached documents of kubelets have expired. */
const expiry = (): Promise<void> => world.clock.sleep(3_100);

test("without data neither API is served", async () => {
  const nowhere = "the server could not find the requested resource";
  for (const client of Object.values(clients))
    for (const described of [{ resource: "pods" }, undefined])
      await expect(client.metricValues(query(described))).rejects.toThrow(nowhere);
  expect((await rawClient.send(custom)).status).toBe(404);
  const { groups } = await rawClient.get("/apis");
  expect(groups.map((g: { readonly name: string }) => g.name)).not.toContain("custom.metrics.k8s.io");
});

test("with data both APIs are discovered, with a resource for each metric", async () => {
  const metadata = { namespace: "default" };
  const spec = (app: string) => ({ selector: { app }, ports: [{ port: 80 }] });
  const annotations = { "metrics.orrery.dev/external": "true" };
  await server.inProcess.create(services, {
    kind: "Service",
    metadata: { ...metadata, name: "web" },
    spec: spec("web"),
  });
  await server.inProcess.create(services, {
    ...{ kind: "Service", metadata: { ...metadata, name: "broker", annotations }, spec: spec("broker") },
  });
  await server.inProcess.create(services, {
    kind: "Service",
    metadata: { ...metadata, name: "idle" },
    spec: spec("idle"),
  });
  const template = { metadata: { labels: { app: "web" } }, spec: container };
  await server.inProcess.create(deployments, {
    ...{ kind: "Deployment", metadata: { ...metadata, name: "web" } },
    spec: { selector: { matchLabels: { app: "web" } }, template },
  });
  items = await Promise.all([
    pod("web-1", "web", [depth(5, "a"), depth(0.5, "b"), hits(2.25, 5)]),
    pod("web-2", "web", [depth(7, "a"), hits(1, 7)]),
    pod("broker-1", "broker", [
      depth(40, "mail"),
      depth(2, "print"),
      { name: "lag", labels: { pod: "own" }, value: 1e30 },
    ]),
    pod("other", "web", [depth(100, "a")], "kube-system"),
  ]);
  items = [...items, { ...items[0]!, pod: { namespace: "default", name: "gone", uid: "gone" } }];
  await expiry();
  const value = { singularName: "", kind: "MetricValueList", verbs: ["get"] };
  const list = await rawClient.get(custom);
  expect(list).toMatchObject({ kind: "APIResourceList", groupVersion: "custom.metrics.k8s.io/v1beta2" });
  expect(list["resources"]).toEqual(
    [
      ...["namespaces/depth", "namespaces/hits", "namespaces/lag"].map((name) => ({ name, namespaced: false })),
      ...["pods/depth", "pods/hits", "pods/lag", "services/depth", "services/hits", "services/lag"].map((name) => ({
        ...{ name, namespaced: true },
      })),
    ].map((r) => ({ ...r, ...value })),
  );
  expect((await rawClient.get("/apis/custom.metrics.k8s.io")).preferredVersion.version).toBe("v1beta2");
  expect((await rawClient.get(external)).resources).toEqual(
    ["depth", "lag"].map((name) => ({ ...{ name, namespaced: true }, ...value, kind: "ExternalMetricValueList" })),
  );
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { text } = await rawClient.send("/apis", { headers: { accept } });
  const found = JSON.parse(text).items.find((g: any) => g.metadata.name === "custom.metrics.k8s.io");
  const [{ resources }] = found.versions;
  expect(resources.map((r: any) => [r.resource, r.scope, r.subresources.length])).toEqual([
    ["namespaces", "Cluster", 3],
    ["pods", "Namespaced", 3],
    ["services", "Namespaced", 3],
  ]);
  const service = await server.inProcess.get(apiServices, key(undefined, "v1beta2.custom.metrics.k8s.io"));
  expect(service.spec).toMatchObject({ groupPriorityMinimum: 100, versionPriority: 200 });
});

const of = (resource: string, more: object = {}): MetricQuery["described"] => ({ resource, ...more });
const values: readonly (readonly [what: string, query: MetricQuery, values: readonly (readonly [string, string])[]])[] =
  [
    [
      "all pods, the sum of each one's series",
      query(of("pods")),
      [
        ["broker-1", "42"],
        ["web-1", "5500m"],
        ["web-2", "7"],
      ],
    ],
    [
      "pods by their labels",
      query(of("pods", { labelSelector: "app=web" })),
      [
        ["web-1", "5500m"],
        ["web-2", "7"],
      ],
    ],
    [
      "pods by the labels of the series",
      query(of("pods"), { metricSelector: "queue=a" }),
      [
        ["web-1", "5"],
        ["web-2", "7"],
      ],
    ],
    ["one pod", query(of("pods", { name: "web-1" })), [["web-1", "5500m"]]],
    [
      "rates",
      query(of("pods"), { metric: "hits" }),
      [
        ["web-1", "2250m"],
        ["web-2", "1"],
      ],
    ],
    ["no pods", query(of("pods", { labelSelector: "app=none" })), []],
    ["a Service, the sum over its pods", query(of("services", { name: "web" })), [["web", "12500m"]]],
    [
      "all Services with data",
      query(of("services")),
      [
        ["broker", "42"],
        ["web", "12500m"],
      ],
    ],
    ["a Deployment, the sum over its pods", query(of("deployments.apps", { name: "web" })), [["web", "12500m"]]],
    ["a namespace, the sum over its pods", query(of("namespaces")), [["default", "54500m"]]],
    ["another namespace", query(of("namespaces"), { namespace: "kube-system" }), [["kube-system", "100"]]],
    ["more than a quantity holds", query(of("pods"), { metric: "lag" }), [["broker-1", "9223372036854775807m"]]],
    [
      "the outside, by series",
      query(undefined),
      [
        ["mail", "40"],
        ["print", "2"],
      ],
    ],
    [
      "the outside, by the labels of the series",
      query(undefined, { metricSelector: "queue in (mail),pod=broker-1,service=broker" }),
      [["mail", "40"]],
    ],
    ["the outside, of another namespace", query(undefined, { namespace: "kube-system" }), []],
  ];
for (const [what, request, expected] of values)
  test(`values: ${what}`, async () => {
    for (const [carrier, client] of Object.entries(clients)) {
      const found = await client.metricValues(request);
      const named = found.map((v) => [v.describedObject?.name ?? v.labels?.["queue"], v.value]);
      expect(named, carrier).toEqual(expected);
      expect(found.every((v) => v.timestamp === timestamp)).toBe(true);
    }
  });

test("the window of a rate, and labels of a series that have precedence over those of its pod", async () => {
  for (const client of Object.values(clients)) {
    const [rate] = await client.metricValues(query(of("services", { name: "web" }), { metric: "hits" }));
    expect(rate).toMatchObject({ windowSeconds: 7, value: "3250m" });
    const [lag] = await client.metricValues(query(undefined, { metric: "lag" }));
    expect(lag?.labels).toEqual({ pod: "own", service: "broker" });
  }
});

const missing = (metric: string, resource: string): string =>
  `the server could not find the metric ${metric} for ${resource}`;
const refusals: readonly (readonly [query: MetricQuery, message: string])[] = [
  [query(of("pods"), { metric: "none" }), missing("none", "pods")],
  [query(of("pods", { name: "web-1" }), { metric: "none" }), missing("none", "pods")],
  [query(of("pods", { name: "nobody" })), missing("depth", "pods nobody")],
  [
    query(of("pods", { name: "web-1" }), { metricSelector: "queue=z" }),
    missing("depth", "pods web-1 with selector queue=z"),
  ],
  [query(of("services", { name: "idle" })), missing("depth", "services idle")],
  [query(of("services", { name: "nobody" })), 'services "nobody" not found'],
  [query(of("configmaps", { name: "a" })), missing("depth", "configmaps a")],
  [query(of("toys.example.com", { name: "a" })), "the server could not find the requested resource"],
  [query(undefined, { metric: "none" }), missing("none", "namespaces")],
  [query(undefined, { metric: "none", namespace: "kube-system" }), missing("none", "kube-system")],
  [
    query(of("pods"), { metricSelector: "a b" }),
    "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  ],
];
test.each(refusals)("refused: %j", async (request, message) => {
  for (const client of Object.values(clients)) await expect(client.metricValues(request)).rejects.toThrow(message);
});

test("lists in the form of each version", async () => {
  const describedObject = { kind: "Pod", namespace: "default", name: "web-1", apiVersion: "/v1" };
  const path = "namespaces/default/pods/web-1/depth?metricLabelSelector=queue%3Da,queue";
  const selector = {
    matchLabels: { queue: "a" },
    matchExpressions: [{ key: "queue", operator: "Exists", values: [] }],
  };
  expect(await rawClient.get(`${custom}/${path}`)).toEqual({
    ...{ kind: "MetricValueList", apiVersion: "custom.metrics.k8s.io/v1beta2", metadata: {} },
    items: [{ describedObject, metric: { name: "depth", selector }, timestamp, value: "5" }],
  });
  expect(await rawClient.get(`/apis/custom.metrics.k8s.io/v1beta1/namespaces/default/pods/*/hits`)).toMatchObject({
    ...{ kind: "MetricValueList", apiVersion: "custom.metrics.k8s.io/v1beta1" },
    items: [
      { describedObject, metricName: "hits", timestamp, window: 5, value: "2250m", selector: null },
      { describedObject: { name: "web-2" } },
    ],
  });
  expect((await rawClient.get(`${custom}/namespaces/default/metrics/depth`)).items[0].describedObject).toEqual({
    ...{ kind: "Namespace", name: "default", apiVersion: "/v1" },
  });
  expect(await rawClient.get(`${external}/namespaces/default/depth?labelSelector=queue%3Dmail`)).toEqual({
    ...{ kind: "ExternalMetricValueList", apiVersion: "external.metrics.k8s.io/v1beta1", metadata: {} },
    items: [
      {
        ...{ metricName: "depth", timestamp, value: "40" },
        metricLabels: { queue: "mail", pod: "broker-1", service: "broker" },
      },
    ],
  });
});

test.each([
  ["GET", `${custom}/nodes/*/depth`, 404],
  ["GET", `${custom}/pods`, 404],
  ["GET", `${custom}/namespaces/default/pods/web-1`, 404],
  ["GET", `${external}/depth`, 404],
  ["GET", `${external}/namespaces/default/depth/x`, 404],
  ["GET", "/apis/custom.metrics.k8s.io/v1/namespaces/default/pods/*/depth", 404],
  ["POST", `${custom}/namespaces/default/pods/*/depth`, 405],
  ["DELETE", `${external}/namespaces/default/depth`, 405],
])("%s %s is refused with %i", async (method, path, status) =>
  expect((await rawClient.send(path, { method })).status).toBe(status),
);

test("a metric that no pod has any more is no resource any more, and the API remains", async () => {
  items = items.slice(0, 1);
  await expiry();
  expect((await rawClient.get(external)).resources).toEqual([]);
  expect((await rawClient.get(custom)).resources.map((r: { readonly name: string }) => r.name)).not.toContain(
    "pods/lag",
  );
});
