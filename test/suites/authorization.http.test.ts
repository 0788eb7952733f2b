// Role-based authorization over HTTP: who is not given a right is refused, nobody gives more than they have, and reviews
// say what holds.
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonClientOf, type JsonResponse, type SendJson } from "./json-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let admin: SendJson;
beforeAll(async () => {
  server = await listeningServer({ authorizationMode: "RBAC" });
  admin = jsonClientOf(server);
});
afterAll(() => server.close());

const as = (user: string, method: string, path: string, body?: unknown): Promise<JsonResponse> =>
  admin(method, path, body, { "impersonate-user": user });
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const rolesIn = (namespace: string): string => `${rbac}/namespaces/${namespace}/roles`;
const bindingsIn = (namespace: string): string => `${rbac}/namespaces/${namespace}/rolebindings`;
const role = (name: string, ...rules: object[]): object => ({ metadata: { name }, rules });
const binding = (name: string, kind: string, roleName: string, user: string): object => ({
  metadata: { name },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: roleName },
  subjects: [{ kind: "User", name: user }],
});
const podReader = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
const everything = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
/** Gives a user a right, and waits until the authorizer has seen it. */
async function grant(name: string, user: string, ...rules: object[]): Promise<void> {
  expect((await admin("POST", `${rbac}/clusterroles`, role(name, ...rules))).status).toBe(201);
  const all = binding(name, "ClusterRole", name, user);
  expect((await admin("POST", `${rbac}/clusterrolebindings`, all)).status).toBe(201);
  const spec = { user, resourceAttributes: { verb: "mark", resource: name } };
  await expect.poll(async () => (await review(spec)).status.allowed).toBe(true);
}
const mark = (name: string): object => ({ apiGroups: [""], resources: [name], verbs: ["mark"] });
const review = async (spec: object): Promise<any> =>
  (await admin("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec })).json;

test("a user without rights reads the API's description and nothing else", async () => {
  expect((await as("eve", "GET", "/apis")).status).toBe(200);
  const { status, json } = await as("eve", "GET", "/api/v1/namespaces/default/pods");
  expect(status).toBe(403);
  expect(json.message).toBe(
    'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  expect((await as("eve", "GET", "/metrics")).json.message).toBe('forbidden: User "eve" cannot get path "/metrics"');
});

test("a binding in a namespace gives a right there and nowhere else, until it is deleted", async () => {
  await admin("POST", rolesIn("default"), role("reader", podReader));
  await admin("POST", bindingsIn("default"), binding("reader", "Role", "reader", "ann"));
  const statusIn = async (namespace: string): Promise<number> =>
    (await as("ann", "GET", `/api/v1/namespaces/${namespace}/pods`)).status;
  await expect.poll(() => statusIn("default")).toBe(200);
  expect(await statusIn("kube-system")).toBe(403);
  expect((await as("ann", "GET", "/api/v1/pods")).status).toBe(403);
  expect((await as("ann", "DELETE", "/api/v1/namespaces/default/pods/x")).status).toBe(403);
  const resourceAttributes = { verb: "list", resource: "pods", namespace: "default" };
  expect((await review({ user: "ann", resourceAttributes })).status).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to User "ann"',
  });
  await admin("DELETE", `${bindingsIn("default")}/reader`);
  await expect.poll(() => statusIn("default")).toBe(403);
});

test("the administrator's group is never refused", async () => {
  expect((await admin("DELETE", `${rbac}/clusterrolebindings/cluster-admin`)).status).toBe(200);
  expect((await admin("GET", "/api/v1/secrets")).status).toBe(200);
});

test("nobody creates a role with rights they do not have", async () => {
  await grant("author", "bob", mark("author"), podReader, {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["roles", "rolebindings"],
    verbs: ["create", "update", "get"],
  });
  expect((await as("bob", "POST", rolesIn("default"), role("own", podReader))).status).toBe(201);
  const { status, json } = await as(
    "bob",
    "POST",
    rolesIn("default"),
    role("more", { ...podReader, verbs: ["get", "delete", "watch"] }),
  );
  expect(status).toBe(403);
  expect(json.message).toBe(
    'roles.rbac.authorization.k8s.io "more" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete" "watch"]}',
  );
  const wider = await as("bob", "PUT", `${rolesIn("default")}/own`, role("own", everything));
  expect(wider.status).toBe(403);
  const renamed = { ...role("own", podReader), metadata: { name: "own", labels: { team: "a" } } };
  expect((await as("bob", "PUT", `${rolesIn("default")}/own`, renamed)).status).toBe(200);
});

test("nobody binds a role with rights they do not have, or that does not exist", async () => {
  await grant("binder", "cat", mark("binder"), {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["rolebindings"],
    verbs: ["create"],
  });
  const bind = (name: string, roleName: string): Promise<JsonResponse> =>
    as("cat", "POST", bindingsIn("default"), binding(name, "ClusterRole", roleName, "cat"));
  expect((await bind("a", "cluster-admin")).status).toBe(403);
  const missing = await bind("b", "none");
  expect([missing.status, missing.json.message]).toEqual([
    404,
    'clusterroles.rbac.authorization.k8s.io "none" not found',
  ]);
  await grant("bind-view", "cat", mark("bind-view"), {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["clusterroles"],
    verbs: ["bind"],
    resourceNames: ["view"],
  });
  expect((await bind("c", "view")).status).toBe(201);
  expect((await bind("d", "edit")).status).toBe(403);
});

test("the verb escalate lifts the rule", async () => {
  await grant("escalator", "dan", mark("escalator"), {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["roles"],
    verbs: ["create", "escalate"],
  });
  expect((await as("dan", "POST", rolesIn("default"), role("all", everything))).status).toBe(201);
});

test("a user's own rules are listed", async () => {
  await grant("lister", "fay", mark("lister"), podReader);
  const { json } = await as("fay", "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
    spec: { namespace: "default" },
  });
  expect(json.status.resourceRules).toContainEqual(podReader);
  expect(json.status.resourceRules).not.toContainEqual(everything);
  expect(json.status.nonResourceRules.flatMap((r: any) => r.nonResourceURLs)).toContain("/healthz");
});

test("a review is of the user it names, with uid and extra, and the local one of its namespace", async () => {
  const spec = {
    user: "gus",
    uid: "u1",
    extra: { team: ["a"] },
    resourceAttributes: { verb: "get", resource: "pods" },
  };
  expect((await review(spec)).status).toEqual({ allowed: false });
  expect((await review({ ...spec, groups: ["system:masters"] })).status).toEqual({ allowed: true });
  const local = (resourceAttributes: object): Promise<JsonResponse> =>
    admin("POST", "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", {
      spec: { ...spec, resourceAttributes },
    });
  const elsewhere = await local({ ...spec.resourceAttributes, namespace: "kube-system" });
  expect([elsewhere.status, elsewhere.json.message]).toEqual([
    422,
    'LocalSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "kube-system": must match metadata.namespace',
  ]);
  expect((await local({ ...spec.resourceAttributes, namespace: "default" })).json.status).toEqual({ allowed: false });
});

test("a binding of a role that is missing is a reason, and a problem of the list of rules", async () => {
  const at = `${rbac}/clusterrolebindings`;
  for (const name of ["gone", "lost"]) await admin("POST", at, binding(`missing-${name}`, "ClusterRole", name, "hal"));
  const missing = (name: string): string => `clusterrole.rbac.authorization.k8s.io "${name}" not found`;
  const problem = `[${missing("gone")}, ${missing("lost")}]`;
  const resourceAttributes = { verb: "get", resource: "pods" };
  await expect
    .poll(async () => (await review({ user: "hal", resourceAttributes })).status)
    .toEqual({ allowed: false, reason: `RBAC: ${problem}` });
  const { json } = await as("hal", "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
    spec: { namespace: "default" },
  });
  expect(json.status).toMatchObject({ incomplete: false, evaluationError: problem });
});

test("whoever impersonates is who the review of oneself shows", async () => {
  const { json } = await admin(
    "POST",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    {},
    {
      "impersonate-user": "ida",
      "impersonate-uid": "u2",
      "impersonate-group": "crew",
      "impersonate-extra-scopes": "read",
    },
  );
  expect(json.status.userInfo).toEqual({
    username: "ida",
    uid: "u2",
    groups: ["crew", "system:authenticated"],
    extra: { scopes: ["read"] },
  });
});
