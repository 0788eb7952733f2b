// More rights by a detour: roles, bindings, impersonation, certificates, tokens, and subresources that run programs.
import { afterAll, beforeAll, expect, test } from "vitest";
import { newRequest } from "./certificate-request.ts";
import { grant, type Target, target } from "./attacker.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const [core, inDefault] = ["/api/v1", "/api/v1/namespaces/default"];
let t: Target;
/** May write nearly everything that has to do with rights, but has few itself. */
let token: string;
const self = "system:serviceaccount:default:climber";
beforeAll(async () => {
  t = await target();
  token = await t.tokenOf("climber");
  const all = ["get", "list", "watch", "create", "update", "patch", "delete"];
  await grant(
    t,
    self,
    {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
      verbs: all,
    },
    { apiGroups: [""], resources: ["pods", "configmaps"], verbs: all },
    { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: all },
    {
      apiGroups: ["certificates.k8s.io"],
      resources: ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
      verbs: ["update", "patch"],
    },
  );
  await t.admin("POST", `${inDefault}/pods`, {
    metadata: { name: "victim" },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
});
afterAll(() => t.close());

const everything = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
const bindingTo = (kind: string, name: string, subject: object = { kind: "User", name: self }): object => ({
  metadata: { name: "climb" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
  subjects: [subject],
});
const post = (path: string, body: unknown): Promise<void> => t.refused({ method: "POST", path, body, token }, 403);

test("escalate: a role with more rights than one's own, made, changed or patched", async () => {
  await post(`${rbac}/clusterroles`, { metadata: { name: "own" }, rules: everything });
  await post(`${rbac}/namespaces/default/roles`, { metadata: { name: "own" }, rules: everything });
  await post(`${rbac}/clusterroles`, {
    metadata: { name: "own" },
    rules: [{ nonResourceURLs: ["*"], verbs: ["*"] }],
  });
  await post(`${rbac}/clusterroles?dryRun=All`, { metadata: { name: "own" }, rules: everything });
  await post(`${rbac}/clusterroles`, {
    metadata: { name: "own" },
    aggregationRule: { clusterRoleSelectors: [{}] },
    rules: [],
  });
  const small = { metadata: { name: "small" }, rules: [] };
  expect((await t.attempt({ method: "POST", path: `${rbac}/clusterroles`, body: small, token })).status).toBe(201);
  const path = `${rbac}/clusterroles/small`;
  await t.refused({ method: "PUT", path, body: { ...small, rules: everything }, token }, 403);
  const patches: readonly (readonly [string, unknown])[] = [
    ["application/merge-patch+json", { rules: everything }],
    ["application/strategic-merge-patch+json", { rules: everything }],
    ["application/json-patch+json", [{ op: "replace", path: "/rules", value: everything }]],
    ["application/json-patch+json", [{ op: "add", path: "/aggregationRule", value: { clusterRoleSelectors: [{}] } }]],
  ];
  for (const [type, body] of patches)
    await t.refused({ method: "PATCH", path, body, token, headers: { "content-type": type } }, 403);
  const applied = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", ...small, rules: everything };
  await t.refused(
    {
      ...{ method: "PATCH", path: `${path}?fieldManager=x&force=true`, body: applied, token },
      headers: { "content-type": "application/apply-patch+yaml" },
    },
    403,
  );
});

test("a label that makes one's own role part of an administrator's", async () => {
  const labels = { "rbac.authorization.k8s.io/aggregate-to-view": "true" };
  await post(`${rbac}/clusterroles`, { metadata: { name: "part", labels }, rules: everything });
});

test("bind: a binding to a role with more rights than one's own", async () => {
  await post(`${rbac}/clusterrolebindings`, bindingTo("ClusterRole", "cluster-admin"));
  await post(`${rbac}/namespaces/kube-system/rolebindings`, bindingTo("ClusterRole", "cluster-admin"));
  await post(`${rbac}/namespaces/default/rolebindings`, bindingTo("ClusterRole", "view"));
  const subjects = [{ kind: "Group", name: "system:authenticated", apiGroup: "rbac.authorization.k8s.io" }];
  const path = `${rbac}/clusterrolebindings/cluster-admin`;
  await t.refused(
    {
      ...{ method: "PATCH", path, body: { subjects }, token },
      headers: { "content-type": "application/merge-patch+json" },
    },
    403,
  );
  await t.refused(
    {
      method: "PUT",
      path,
      token,
      body: { ...bindingTo("ClusterRole", "cluster-admin"), metadata: { name: "cluster-admin" } },
    },
    403,
  );
});

test("a role that does not exist cannot be bound in advance", async () => {
  const outcome = await t.attempt({
    ...{ method: "POST", path: `${rbac}/clusterrolebindings`, token },
    body: bindingTo("ClusterRole", "later"),
  });
  expect([403, 404]).toContain(outcome.status);
});

test("impersonation of users, groups, accounts, uids and extras", async () => {
  const path = `${core}/namespaces/kube-system/secrets/crown`;
  const wishes: readonly Readonly<Record<string, string>>[] = [
    { "impersonate-user": "kubernetes-admin" },
    { "impersonate-user": self, "impersonate-group": "system:masters" },
    { "impersonate-user": "system:serviceaccount:kube-system:default" },
    { "impersonate-user": self, "impersonate-uid": "1" },
    { "impersonate-user": self, "impersonate-extra-scopes": "all" },
    { "impersonate-user": "system:anonymous" },
    { "Impersonate-User": "system:node:n1", "Impersonate-Group": "system:nodes" },
  ];
  for (const headers of wishes) await t.refused({ path, token, headers }, 403);
  const alone = await t.attempt({ path, token, headers: { "impersonate-group": "system:masters" } });
  expect([400, 403]).toContain(alone.status);
});

test("who may impersonate users may not become a member of every group", async () => {
  const friend = await t.tokenOf("friend");
  await grant(t, "system:serviceaccount:default:friend", {
    ...{ apiGroups: [""], resources: ["users"], verbs: ["impersonate"] },
  });
  const path = `${core}/namespaces/kube-system/secrets/crown`;
  const headers = { "impersonate-user": "kubernetes-admin", "impersonate-group": "system:masters" };
  await t.refused({ path, token: friend, headers }, 403);
});

test("programs in pods: exec, attach, port-forward, proxy and ephemeral containers are rights of their own", async () => {
  const pod = `${inDefault}/pods/victim`;
  for (const method of ["GET", "POST"])
    for (const path of ["exec?command=id&stdout=1", "attach?stdout=1", "portforward", "proxy", "proxy/x"])
      await t.refused({ method, path: `${pod}/${path}`, token }, 403);
  const ephemeralContainers = [{ name: "e", image: "i" }];
  const body = { spec: { ephemeralContainers } };
  const headers = { "content-type": "application/strategic-merge-patch+json" };
  await t.refused({ method: "PATCH", path: `${pod}/ephemeralcontainers`, body, headers, token }, 403);
  const { json: victim } = await t.admin("GET", pod);
  const outcome = await t.attempt({
    ...{ method: "PUT", path: pod, token },
    body: { ...victim, spec: { ...victim.spec, ephemeralContainers } },
  });
  expect([403, 422]).toContain(outcome.status);
  const after = await t.admin("GET", pod);
  expect(after.json.spec.ephemeralContainers).toBeUndefined();
  for (const [subresource, verb] of [
    ["binding", "POST"],
    ["eviction", "POST"],
    ["status", "PUT"],
    ["resize", "PUT"],
    ["log", "GET"],
  ] as const)
    await t.refused(
      { method: verb, path: `${pod}/${subresource}`, ...(verb !== "GET" && { body: victim }), token },
      403,
    );
});

test("kubelets and services cannot be reached through proxies", async () => {
  for (const path of [
    `${core}/nodes/n1/proxy/exec/default/victim/c`,
    `${core}/nodes/n1:10250/proxy/pods`,
    `${core}/nodes/https:n1:10250/proxy/pods`,
    `${inDefault}/services/kubernetes/proxy/`,
    `${inDefault}/services/https:kubernetes:443/proxy/api/v1/secrets`,
  ])
    for (const method of ["GET", "POST", "DELETE"]) await t.refused({ method, path, token }, 403);
});

test("tokens of other accounts", async () => {
  await t.tokenOf("rich");
  await post(`${inDefault}/serviceaccounts/rich/token`, { spec: {} });
  await post(`${core}/namespaces/kube-system/serviceaccounts/default/token`, { spec: {} });
  await post(`${inDefault}/secrets`, {
    metadata: { name: "grab", annotations: { "kubernetes.io/service-account.name": "rich" } },
    type: "kubernetes.io/service-account-token",
  });
});

test("certificates: approval and signing need rights for the signer, and subjects of masters are refused", async () => {
  const csrs = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const request = await newRequest({ name: "kubernetes-admin", groups: ["system:masters"] });
  const body = (name: string, signerName: string): object => ({
    metadata: { name },
    spec: { request, signerName, usages: ["client auth"], username: "kubernetes-admin", groups: ["system:masters"] },
  });
  const client = "kubernetes.io/kube-apiserver-client";
  await post(csrs, body("masters", client));
  const plain = await newRequest({ name: "somebody", groups: ["friends"] });
  const made = await t.attempt({
    ...{ method: "POST", path: csrs, token },
    body: { metadata: { name: "plain" }, spec: { request: plain, signerName: client, usages: ["client auth"] } },
  });
  expect(made.status).toBe(201);
  const { json: csr } = await t.admin("GET", `${csrs}/plain`);
  expect(csr.spec.username).toBe(self);
  const conditions = [{ type: "Approved", status: "True", reason: "Mine", message: "mine" }];
  await t.refused(
    { method: "PUT", path: `${csrs}/plain/approval`, token, body: { ...csr, status: { conditions } } },
    403,
  );
  await t.refused(
    { method: "PUT", path: `${csrs}/plain/status`, token, body: { ...csr, status: { certificate: "LS0t" } } },
    403,
  );
});

test("a write under another namespace or name than its path", async () => {
  const configMap = { metadata: { name: "x", namespace: "kube-system" }, data: {} };
  const other = await t.attempt({ method: "POST", path: `${inDefault}/configmaps`, body: configMap, token });
  expect(other.status).toBe(400);
  const limited = await t.tokenOf("limited");
  await grant(t, "system:serviceaccount:default:limited", {
    ...{ apiGroups: [""], resources: ["configmaps"], verbs: ["update", "patch", "get"], resourceNames: ["mine"] },
  });
  // An update and an apply that create need the verb create.
  for (const [method, headers] of [
    ["PUT", {}],
    ["PATCH", { "content-type": "application/apply-patch+yaml" }],
  ] as const) {
    const path = `${inDefault}/configmaps/mine?fieldManager=x`;
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "mine" }, data: {} };
    const outcome = await t.attempt({ method, path, body, headers, token: limited });
    expect([403, 404], outcome.text.slice(0, 400)).toContain(outcome.status);
    await t.refused({ method, path: `${inDefault}/configmaps/theirs`, body, headers, token: limited }, 403);
  }
  await t.refused({ method: "DELETE", path: `${inDefault}/configmaps`, token: limited }, 403);
  await t.refused({ method: "DELETE", path: `${inDefault}/configmaps/mine`, token: limited }, 403);
});
