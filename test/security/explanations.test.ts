// What explanations show of other objects: a user who may read pods in one namespace learns nothing of nodes, Secrets,
// events, other controllers or other namespaces.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runningCluster } from "../suites/running-cluster.ts";
import { jsonClientOf, type SendJson } from "../suites/json-client.ts";
import type { TestServer } from "../suites/listening.ts";
import { rawClientOf } from "../suites/raw-client.ts";
import { image } from "../suites/simulated-node.ts";

let server: TestServer;
let admin: SendJson;
let reader: { readonly cert: string; readonly key: string };

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const read = async (path: string): Promise<{ readonly status: number; readonly text: string }> =>
  rawClientOf(server).send(path, { as: reader });

beforeAll(async () => {
  server = await runningCluster({ authorizationMode: "RBAC" });
  admin = jsonClientOf(server);
  reader = await server.authority.issue({ name: "reader", use: "client" });
  await vi.waitFor(async () => {
    expect((await admin("GET", "/api/v1/namespaces/default/serviceaccounts/default")).status).toBe(200);
  }, 10_000);
  await admin("POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "crown-jewels" } });
  const volumes = [{ name: "s", secret: { secretName: "crown-jewels" } }];
  const spec = { containers: [{ name: "app", image, resources: { requests: { cpu: "90" } } }] };
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec };
  await admin("POST", "/apis/apps/v1/namespaces/default/deployments", {
    metadata: { name: "web" },
    spec: { selector: { matchLabels: labels }, template },
  });
  await admin("POST", "/api/v1/namespaces/default/pods", { metadata: { name: "big" }, spec: { ...spec, volumes } });
  await admin("POST", "/api/v1/namespaces/default/pods", {
    metadata: { name: "needy" },
    spec: {
      containers: [{ name: "app", image }],
      volumes: [{ name: "s", secret: { secretName: "not-there" } }],
      nodeName: "gone",
    },
  });
  await admin("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "web" },
    spec: { selector: labels, ports: [{ port: 80 }] },
  });
  const rules = [
    { apiGroups: [""], resources: ["pods"], resourceNames: ["big", "needy"], verbs: ["get"] },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list"] },
    { apiGroups: [""], resources: ["services"], verbs: ["get"] },
  ];
  await admin("POST", `${rbac}/namespaces/default/roles`, { metadata: { name: "reader" }, rules });
  await admin("POST", `${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: "reader" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "reader" }],
  });
  await vi.waitFor(async () => {
    const { json } = await admin("GET", "/explain/apis/apps/v1/namespaces/default/deployments/web");
    expect(json.causes[0]).toMatchObject({ reason: "Unschedulable", object: { kind: "Pod" } });
    const { json: pod } = await admin("GET", "/explain/api/v1/namespaces/default/pods/big");
    expect(pod.scheduling.attempts[0].nodes).toHaveLength(1);
    expect((await read("/api/v1/namespaces/default/pods/big")).status).toBe(200);
  }, 20_000);
});
afterAll(() => server.close());

test("a pod: neither nodes, events, nor what the scheduler found on nodes", async () => {
  const { status, text } = await read("/explain/api/v1/namespaces/default/pods/big");
  expect(status).toBe(200);
  const { events, scheduling, causes } = JSON.parse(text);
  expect([events, causes[0].reason]).toEqual([[], "Unschedulable"]);
  expect(scheduling.attempts[0]).not.toHaveProperty("nodes");
  expect(text).not.toContain("n1");
});

test("a pod on a node: whether the node, a Secret or a ConfigMap exists is not shown", async () => {
  const { text } = await read("/explain/api/v1/namespaces/default/pods/needy");
  const { causes } = JSON.parse(text);
  expect(causes.map((c: { readonly reason: string }) => c.reason)).toEqual([]);
  // The name stands in the pod's own spec; that it does not exist does not.
  expect(text).not.toMatch(/NotFound|does not exist/);
  const { json } = await admin("GET", "/explain/api/v1/namespaces/default/pods/needy");
  expect(json.causes[0]).toMatchObject({ reason: "NodeNotFound" });
});

test("a deployment: nothing of its replica sets, its pods, and the texts of decisions", async () => {
  const { status, text } = await read("/explain/apis/apps/v1/namespaces/default/deployments/web");
  expect(status).toBe(200);
  const { causes, decisions, summary, events } = JSON.parse(text);
  expect([summary.state, causes, events]).toEqual(["Progressing", [], []]);
  expect(decisions.length).toBeGreaterThan(0);
  for (const { kind, because, reasons } of decisions) {
    expect([kind, because]).toEqual(["Deployment", []]);
    expect(reasons.filter((r: { readonly kind?: string }) => r.kind !== undefined && r.kind !== "Deployment")).toEqual(
      [],
    );
  }
  expect(text).not.toMatch(/web-[a-z0-9]{5,}/);
});

test("a service: nothing of its pods and of the rules of nodes", async () => {
  const { text } = await read("/explain/api/v1/namespaces/default/services/web");
  const { service, summary, causes } = JSON.parse(text);
  // That no pod matches would be wrong, and that some do is not shown.
  expect(causes).toEqual([]);
  expect([service, summary.state]).toEqual([[], "Waiting"]);
  expect(`${summary.message}${text}`).not.toMatch(/n1|web-[a-z0-9]{5,}/);
});

test("a part that only the leader has is as confined as all of it", async () => {
  const { text } = await read("/explain/api/v1/namespaces/default/pods/big?part=scheduling");
  expect(JSON.parse(text).scheduling.attempts[0]).not.toHaveProperty("nodes");
  const decisions = await read("/explain/apis/apps/v1/namespaces/default/deployments/web?part=decisions");
  expect(decisions.text).not.toMatch(/web-[a-z0-9]{5,}/);
});

test.each([
  "/explain/api/v1/namespaces/default/pods/web",
  "/explain/api/v1/namespaces/default/pods",
  "/explain/api/v1/pods",
  "/explain/api/v1/namespaces/default/secrets/crown-jewels",
  "/explain/api/v1/nodes/n1",
  "/explain/api/v1/nodes",
  "/explain/apis/apps/v1/deployments",
  "/explain/apis/apps/v1/namespaces/kube-system/deployments",
])("refused: %s", async (path) => expect((await read(path)).status).toBe(403));
