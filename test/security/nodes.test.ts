// A node whose credentials were stolen: it reads what its own pods need, and neither reads nor writes anything of others.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pem } from "../../cli/cluster/pki.ts";
import { treasure, type Target, target } from "./attacker.ts";

const inDefault = "/api/v1/namespaces/default";
let t: Target;
/** Of the attacker's node, to which the pod `mine` is bound; `theirs` is on another node. */
let certificate: Pem;
const objects: readonly (readonly [path: string, body: object])[] = [
  ["/api/v1/nodes", { metadata: { name: "n1" } }],
  ["/api/v1/nodes", { metadata: { name: "n2" } }],
  ...["mine", "theirs", "nobodys"].flatMap((name): (readonly [string, object])[] => [
    [`${inDefault}/secrets`, { metadata: { name }, data: { value: name === "mine" ? "b3du" : treasure } }],
    [`${inDefault}/configmaps`, { metadata: { name }, data: { value: name === "mine" ? "own" : treasure } }],
    [`${inDefault}/serviceaccounts`, { metadata: { name } }],
  ]),
];
const podOf = (name: string, nodeName: string): object => ({
  metadata: { name },
  spec: {
    nodeName,
    serviceAccountName: name,
    containers: [{ name: "c", image: "i", envFrom: [{ secretRef: { name } }, { configMapRef: { name } }] }],
  },
});
beforeAll(async () => {
  t = await target();
  for (const [path, body] of objects) await t.admin("POST", path, body);
  await t.admin("POST", `${inDefault}/pods`, podOf("mine", "n1"));
  await t.admin("POST", `${inDefault}/pods`, podOf("theirs", "n2"));
  certificate = await t.server.authority.issue({ name: "system:node:n1", groups: ["system:nodes"], use: "client" });
  while ((await t.attempt({ path: `${inDefault}/secrets/mine`, certificate })).status !== 200);
});
afterAll(() => t.close());

const refused = (method: string, path: string, body?: unknown, type = "application/json"): Promise<void> =>
  t.refused(
    { ...{ method, path, certificate }, ...(body !== undefined && { body, headers: { "content-type": type } }) },
    403,
  );
const merge = "application/merge-patch+json";

test("what its pods need is readable, so that the tests below test something", async () => {
  for (const path of ["configmaps/mine", "pods/mine", "pods?fieldSelector=spec.nodeName%3Dn1"])
    expect((await t.attempt({ path: `${inDefault}/${path}`, certificate })).status, path).toBe(200);
});

describe("reads of what belongs to others", () => {
  test.each([
    ...["secrets/theirs", "secrets/nobodys", "configmaps/theirs", "configmaps/nobodys", "serviceaccounts/theirs"],
    ...[
      "secrets",
      "secrets?watch=1",
      "configmaps",
      "secrets?labelSelector=a",
      "secrets?fieldSelector=metadata.name%3Dtheirs",
    ],
    ...["secrets?fieldSelector=metadata.name!%3Dmine"],
    ...["secrets/mine/..%2Ftheirs", "secrets/mine%2F..%2Ftheirs"],
    ...["pods", "pods/theirs", "pods?fieldSelector=spec.nodeName%3Dn2", "pods?fieldSelector=spec.nodeName!%3Dn1"],
    ...["pods?labelSelector=spec.nodeName%3Dn1", "pods/theirs/log", "pods/mine/exec?command=id&stdout=1"],
  ])("%s", async (path) => {
    const outcome = await t.attempt({ path: `${inDefault}/${path}`, certificate });
    expect([400, 403, 404], outcome.text.slice(0, 400)).toContain(outcome.status);
    expect(outcome.text).not.toContain(treasure);
  });
  test.each([
    ...[
      "/api/v1/secrets",
      "/api/v1/namespaces/kube-system/secrets/crown",
      "/api/v1/nodes/n2",
      "/api/v1/nodes/n2/proxy/pods",
    ],
    ...[
      "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2",
    ],
    ...["/metrics", "/explain/api/v1/namespaces/default/pods/theirs"],
    ...["/history/api/v1/namespaces/kube-system/secrets/crown?objects=true", "/history/api/v1/secrets?objects=true"],
  ])("%s", (path) => refused("GET", path));
});

test("a selector of two names selects nothing", async () => {
  const selector = "fieldSelector=metadata.name%3Dmine,metadata.name%3Dtheirs";
  const { text } = await t.attempt({ path: `${inDefault}/secrets?${selector}`, certificate });
  expect(text).toMatch(/"items":\s*\[\]|"code":403/);
});

describe("writes of pods and nodes", () => {
  test("pods: made for another node, for no account's token, changed, bound, evicted, deleted", async () => {
    const pods = `${inDefault}/pods`;
    await refused("POST", pods, podOf("new", "n1"));
    await refused("POST", pods, podOf("new", "n2"));
    const mirror = { "kubernetes.io/config.mirror": "x" };
    const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }] };
    await refused("POST", pods, { metadata: { name: "m", annotations: mirror }, spec: { ...spec, nodeName: "n2" } });
    const volumes = [{ name: "v", secret: { secretName: "theirs" } }];
    await refused("POST", pods, { metadata: { name: "m", annotations: mirror }, spec: { ...spec, volumes } });
    await refused("PATCH", `${pods}/mine`, { metadata: { labels: { a: "b" } } }, merge);
    await refused("PATCH", `${pods}/theirs/status`, { status: { phase: "Failed" } }, merge);
    await refused("POST", `${pods}/mine/binding`, { metadata: { name: "mine" }, target: { kind: "Node", name: "n1" } });
    await refused("POST", `${pods}/theirs/eviction`, { metadata: { name: "theirs" } });
    await refused("DELETE", `${pods}/theirs`);
    await refused("DELETE", pods);
  });
  test("labels of a pod by its status, by which it would join other services", async () => {
    const { json: pod } = await t.admin("GET", `${inDefault}/pods/mine`);
    const body = { ...pod, metadata: { ...pod.metadata, labels: { app: "bank" } } };
    const outcome = await t.attempt({ method: "PUT", path: `${inDefault}/pods/mine/status`, body, certificate });
    expect([200, 403]).toContain(outcome.status);
    expect((await t.admin("GET", `${inDefault}/pods/mine`)).json.metadata.labels?.app).toBeUndefined();
  });
  test("nodes: another one, restricted labels, taints removed", async () => {
    await t.admin(
      "PATCH",
      "/api/v1/nodes/n1",
      { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } },
      {
        "content-type": merge,
      },
    );
    await refused("POST", "/api/v1/nodes", { metadata: { name: "n3" } });
    await refused("PATCH", "/api/v1/nodes/n2", { metadata: { labels: { a: "b" } } }, merge);
    await refused("PATCH", "/api/v1/nodes/n2/status", { status: { addresses: [] } }, merge);
    const restricted = { "node-restriction.kubernetes.io/zone": "vault" };
    await refused("PATCH", "/api/v1/nodes/n1", { metadata: { labels: restricted } }, merge);
    await refused("PATCH", "/api/v1/nodes/n1", { metadata: { labels: { "x.kubernetes.io/role": "a" } } }, merge);
    await refused("PATCH", "/api/v1/nodes/n1", { spec: { taints: [] } }, merge);
    await refused("DELETE", "/api/v1/nodes/n2");
    await refused("DELETE", "/api/v1/nodes/n1");
  });
});

describe("other writes", () => {
  test("tokens: of accounts without a pod here, unbound, bound to another's pod, for another audience", async () => {
    const token = (account: string): string => `${inDefault}/serviceaccounts/${account}/token`;
    const { json: mine } = await t.admin("GET", `${inDefault}/pods/mine`);
    const { json: theirs } = await t.admin("GET", `${inDefault}/pods/theirs`);
    const ref = ({ metadata: { name, uid } }: { metadata: { name: string; uid: string } }): object => ({
      boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid },
    });
    await refused("POST", token("theirs"), { spec: ref(theirs) });
    await refused("POST", token("nobodys"), { spec: {} });
    await refused("POST", token("mine"), { spec: {} });
    await refused("POST", token("mine"), {
      spec: { boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "mine" } },
    });
    const outcome = await t.attempt({
      ...{ method: "POST", path: token("mine"), certificate },
      body: { spec: { ...ref(mine), audiences: ["https://vault.example"] } },
    });
    expect(outcome.status, outcome.text.slice(0, 300)).toBe(403);
    const own = await t.attempt({ method: "POST", path: token("mine"), body: { spec: ref(mine) }, certificate });
    expect(own.status, own.text.slice(0, 300)).toBe(201);
  });
  test("everything that is not a node's", async () => {
    const data = { metadata: { name: "x" }, data: {} };
    await refused("POST", `${inDefault}/secrets`, data);
    await refused("PUT", `${inDefault}/secrets/mine`, { metadata: { name: "mine" }, data: {} });
    await refused("DELETE", `${inDefault}/configmaps/mine`);
    await refused("POST", `${inDefault}/serviceaccounts`, { metadata: { name: "x" } });
    await refused("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: "x" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "Group", name: "system:nodes" }],
    });
    const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    await refused("POST", leases, { metadata: { name: "n2" }, spec: {} });
    await refused("POST", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases", { metadata: { name: "n1" } });
    await refused("DELETE", `${leases}/n2`);
    await refused("POST", "/apis/storage.k8s.io/v1/csinodes", { metadata: { name: "n2" }, spec: { drivers: [] } });
  });
});

test("a certificate in the group of nodes that names no node gets nothing of any", async () => {
  const nameless = await t.server.authority.issue({ name: "somebody", groups: ["system:nodes"], use: "client" });
  for (const path of [`${inDefault}/secrets/mine`, `${inDefault}/pods`, "/api/v1/nodes"])
    await t.refused({ path, certificate: nameless }, 403);
  const alone = await t.server.authority.issue({ name: "system:node:n1", use: "client" });
  for (const path of [`${inDefault}/secrets/mine`, `${inDefault}/pods?fieldSelector=spec.nodeName%3Dn1`])
    await t.refused({ path, certificate: alone }, 403);
});

test("when the pod is gone, its node reads its secret no more", async () => {
  await t.admin("DELETE", `${inDefault}/pods/mine`, { gracePeriodSeconds: 0 });
  while ((await t.attempt({ path: `${inDefault}/secrets/mine`, certificate })).status !== 403);
  await refused("GET", `${inDefault}/secrets/mine`);
});
