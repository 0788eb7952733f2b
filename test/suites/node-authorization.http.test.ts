// Kubelets over HTTPS, with certificates of their nodes: each reads and writes what its pods need, and nothing else.
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { nodes } from "../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import { secrets } from "../../api/core/secrets.ts";
import { key } from "../../api/meta.ts";
import { clientMetrics } from "../../machinery/counters.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { jsonClientOf, type SendJson } from "./json-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { image, simulatedNode } from "./simulated-node.ts";

let server: TestServer;
let admin: SendJson;
let n1: SendJson;
let n2: SendJson;
const kubeletOf = async (name: string, groups = ["system:nodes"]): Promise<SendJson> =>
  jsonClientOf({
    ...server,
    admin: await server.authority.issue({ name: `system:node:${name}`, groups, use: "client" }),
  });
const pod = (name: string, nodeName: string, secret: string): object => ({
  metadata: { name },
  spec: {
    nodeName,
    automountServiceAccountToken: false,
    containers: [{ name: "c", image }],
    volumes: [{ name: "v", secret: { secretName: secret } }],
  },
});
const inDefault = "/api/v1/namespaces/default";

beforeAll(async () => {
  server = await listeningServer({ authorizationMode: "RBAC" });
  admin = jsonClientOf(server);
  [n1, n2] = await Promise.all([kubeletOf("n1"), kubeletOf("n2")]);
  for (const name of ["a", "b"]) await admin("POST", `${inDefault}/secrets`, { metadata: { name } });
  await admin("POST", `${inDefault}/pods`, pod("on-1", "n1", "a"));
  await admin("POST", `${inDefault}/pods`, pod("on-2", "n2", "b"));
});
afterAll(() => server.close());

test("a kubelet reads the secrets of its pods, and learns nothing of others", async () => {
  await expect.poll(async () => (await n1("GET", `${inDefault}/secrets/a`)).status).toBe(200);
  const own = await n1("GET", `${inDefault}/secrets?fieldSelector=metadata.name%3Da`);
  expect([own.status, own.json.items.length]).toEqual([200, 1]);
  const refused = (name: string, verb = "get"): string =>
    `secrets "${name}" is forbidden: User "system:node:n1" cannot ${verb} resource "secrets" in API group "" in the namespace "default": no relationship found between node 'n1' and this object`;
  for (const name of ["b", "missing"]) {
    const { status, json } = await n1("GET", `${inDefault}/secrets/${name}`);
    expect([status, json.message]).toEqual([403, refused(name)]);
  }
  const listed = await n1("GET", `${inDefault}/secrets?fieldSelector=metadata.name%3Db`);
  expect([listed.status, listed.json.message]).toEqual([403, refused("b", "list")]);
  // Only the first of two selectors is obeyed, by the authorizer and by the list.
  const doubled = await n1(
    "GET",
    `${inDefault}/secrets?fieldSelector=metadata.name%3Da&fieldSelector=metadata.name%3Db`,
  );
  expect(doubled.json.items.map((s: any) => s.metadata.name)).toEqual(["a"]);
  const all = await n1("GET", `${inDefault}/secrets`);
  expect(all.json.message).toContain(": No Object name found");
  expect((await n2("GET", `${inDefault}/secrets/b`)).status).toBe(200);
});

test("a kubelet lists its pods by their node", async () => {
  const { json } = await n1("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1");
  expect(json.items.map((p: any) => p.metadata.name)).toEqual(["on-1"]);
  const others = await n1("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn2");
  expect(others.json.message).toBe(
    'pods is forbidden: User "system:node:n1" cannot list resource "pods" in API group "" at the cluster scope: can only list/watch pods with spec.nodeName field selector',
  );
});

test("the relation ends with the pod", async () => {
  await admin("POST", `${inDefault}/secrets`, { metadata: { name: "short" } });
  await admin("POST", `${inDefault}/pods`, pod("short", "n1", "short"));
  const read = async (): Promise<number> => (await n1("GET", `${inDefault}/secrets/short`)).status;
  await expect.poll(read).toBe(200);
  const removed = await admin("DELETE", `${inDefault}/pods/short?gracePeriodSeconds=0`);
  expect(removed.status).toBe(200);
  await expect.poll(read).toBe(403);
});

test("a kubelet evicts and deletes its own pods only", async () => {
  const evict = async (name: string) => {
    const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name } };
    const { status, json } = await n1("POST", `${inDefault}/pods/${name}/eviction`, body);
    return [status, json.message];
  };
  expect(await evict("on-2")).toEqual([
    403,
    'pods "on-2" is forbidden: node n1 can only evict pods with spec.nodeName set to itself',
  ]);
  const removed = await n1("DELETE", `${inDefault}/pods/on-2`);
  expect(removed.json.message).toBe(
    'pods "on-2" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
  );
  await admin("POST", `${inDefault}/pods`, pod("own", "n1", "a"));
  expect(await evict("own")).toEqual([201, undefined]);
});

test("a kubelet gets tokens for its pods only", async () => {
  const token = async (name: string, audiences: string[] = []) => {
    const { uid } = (await admin("GET", `${inDefault}/pods/${name}`)).json.metadata;
    const spec = { audiences, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } };
    const { status, json } = await n1("POST", `${inDefault}/serviceaccounts/default/token`, { spec });
    return [status, json.message];
  };
  expect(await token("on-2")).toEqual([
    403,
    'serviceaccounts "default" is forbidden: node requested token bound to a pod scheduled on a different node',
  ]);
  expect(await token("on-1", ["vault"])).toEqual([
    403,
    'serviceaccounts "default" is forbidden: audience "vault" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
  ]);
});

test("slices of devices are deleted together, if all are of the node", async () => {
  const slices = "/apis/resource.k8s.io/v1/resourceslices";
  const slice = (name: string, nodeName: string): object => ({
    metadata: { name },
    spec: { driver: "d.example.com", nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 } },
  });
  for (const node of ["n1", "n2"]) await admin("POST", slices, slice(`of-${node}`, node));
  const selected = `${slices}?fieldSelector=spec.nodeName`;
  expect((await n1("DELETE", `${selected}%3Dn2`)).status).toBe(403);
  expect((await n1("DELETE", `${selected}%3Dn1`)).status).toBe(200);
  const left = await admin("GET", slices);
  expect(left.json.items.map((s: any) => s.metadata.name)).toEqual(["of-n2"]);
  // A role that gives nodes more does not lift what admission confines them to.
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const rules = [{ apiGroups: ["resource.k8s.io"], resources: ["resourceslices"], verbs: ["deletecollection"] }];
  await admin("POST", `${rbac}/clusterroles`, { metadata: { name: "sweeper" }, rules });
  await admin("POST", `${rbac}/clusterrolebindings`, {
    metadata: { name: "sweeper" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "sweeper" },
    subjects: [{ kind: "Group", name: "system:nodes" }],
  });
  await expect
    .poll(async () => (await n1("DELETE", `${selected}%3Dn2`)).json.message)
    .toBe(
      'resourceslices.resource.k8s.io "of-n2" is forbidden: can only delete ResourceSlice with the same NodeName as the requesting node',
    );
});

test("a name like a kubelet's without its group gives no right", async () => {
  const stranger = await kubeletOf("n1", []);
  expect((await stranger("GET", `${inDefault}/secrets/a`)).status).toBe(403);
  expect((await stranger("GET", "/api/v1/nodes/n1")).status).toBe(403);
});

test("reviews say what a kubelet may do, and its rules are not listed", async () => {
  const review = async (resourceAttributes: object) =>
    (
      await admin("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
        spec: { user: "system:node:n1", groups: ["system:nodes"], resourceAttributes },
      })
    ).json.status;
  const list = { verb: "list", resource: "pods" };
  const selector = (value: string) => ({
    fieldSelector: { requirements: [{ key: "spec.nodeName", operator: "In", values: [value] }] },
  });
  expect(await review({ ...list, ...selector("n1") })).toEqual({ allowed: true });
  expect(await review({ ...list, ...selector("n2") })).toEqual({
    allowed: false,
    reason: "can only list/watch pods with spec.nodeName field selector",
  });
  expect(await review({ ...list, fieldSelector: { rawSelector: "nonsense" } })).toEqual({
    allowed: false,
    reason: "can only list/watch pods with spec.nodeName field selector",
    evaluationError: "spec.resourceAttributes.fieldSelector ignored due to parse error",
  });
  const rules = await n1("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
    spec: { namespace: "default" },
  });
  expect(rules.json.status).toMatchObject({
    incomplete: true,
    evaluationError: "node authorizer does not support user rule resolution",
  });
});

/** Creates a claim that is bound to a folder of the node. */
async function boundClaim(name: string): Promise<void> {
  const spec = { accessModes: ["ReadWriteOnce" as const], storageClassName: "" };
  const claim = await server.inProcess.create(persistentVolumeClaims, {
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "default" },
    spec: { ...spec, volumeName: name, resources: { requests: { storage: "1Gi" } } },
  });
  const { uid } = claim.metadata;
  await server.inProcess.create(persistentVolumes, {
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      ...spec,
      capacity: { storage: "1Gi" },
      hostPath: { path: tmpdir(), type: "Directory" },
      claimRef: { namespace: "default", name, uid },
    },
  });
  await server.inProcess.update(persistentVolumeClaims, { ...claim, status: { phase: "Bound" } }, "status");
}

test("a kubelet with nothing but its certificate runs pods, and asks for nothing that is refused", async () => {
  const world = realWorld(() => {});
  const stop = new AbortController();
  const metrics = clientMetrics("api");
  const certificate = await server.authority.issue({ name: "system:node:n1", groups: ["system:nodes"], use: "client" });
  const { url, ca } = server;
  const client = httpClient({ url, ca, ...certificate, userAgent: "kubelet" }, world, stop.signal, metrics);
  const node = await simulatedNode(server, client);
  const of = { namespace: "default" };
  await server.inProcess.create(secrets, { kind: "Secret", metadata: { name: "env", ...of } });
  await server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "env", ...of } });
  await boundClaim("data");
  await server.inProcess.create(pods, {
    kind: "Pod",
    metadata: { name: "web", ...of },
    spec: {
      nodeName: "n1",
      automountServiceAccountToken: false,
      containers: [
        {
          name: "c",
          image,
          command: ["sh", "-c", "sleep 1000"],
          envFrom: [{ secretRef: { name: "env" } }, { configMapRef: { name: "env" } }],
          volumeMounts: [
            { name: "t", mountPath: "/t" },
            { name: "data", mountPath: "/data" },
          ],
        },
      ],
      volumes: [
        { name: "t", projected: { sources: [{ serviceAccountToken: { path: "t", audience: "vault" } }] } },
        { name: "own", secret: { secretName: "a" } },
        { name: "data", persistentVolumeClaim: { claimName: "data" } },
      ],
    },
  } as never);
  await node.ready("web");
  expect((await server.inProcess.get(nodes, key(undefined, "n1"))).status?.conditions).toBeDefined();
  await server.inProcess.delete(pods, key("default", "web"), { gracePeriodSeconds: 1 });
  const isGone = (): Promise<boolean> =>
    server.inProcess.get(pods, key("default", "web")).then(
      () => false,
      () => true,
    );
  await expect.poll(isGone, { timeout: 10_000 }).toBe(true);
  await node.close();
  stop.abort();
  expect(await metrics.metrics()).not.toContain('code="403"');
});
