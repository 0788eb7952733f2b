// Service account tokens over HTTP.
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { rawClientOf, type RawClient, json, parsed } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let rawClient: RawClient;
beforeAll(async () => {
  server = await listeningServer();
  rawClient = rawClientOf(server);
});
afterAll(() => server.close());

const core = "/api/v1/namespaces/default";
const issuer = "https://kubernetes.default.svc.cluster.local";
const post = async (path: string, body: object): Promise<Record<string, any>> => {
  const { status, text } = await rawClient.send(path, { method: "POST", headers: json, body: JSON.stringify(body) });
  return { ...JSON.parse(text), code: status };
};
const remove = (path: string) => rawClient.send(path, { method: "DELETE" });
const account = (name: string) => post(`${core}/serviceaccounts`, { metadata: { name } });
const request = (name: string, spec: object = {}, metadata: object = {}) =>
  post(`${core}/serviceaccounts/${name}/token`, { metadata, spec });
const tokenOf = async (name: string, spec: object = {}): Promise<string> => (await request(name, spec)).status.token;
const review = (token: string, audiences: readonly string[] = []) =>
  post("/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token, audiences } });
const whoAmI = async (token: string, more: Record<string, string> = {}) => {
  const headers = { ...json, authorization: `Bearer ${token}`, ...more };
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const response = await rawClient.send(path, { method: "POST", headers, body: "{}", as: "nobody" });
  return response.status === 201 ? parsed(response)["status"].userInfo : parsed(response);
};

test("a token request is completed with defaults", async () => {
  await account("requested");
  const { code, kind, apiVersion, metadata, spec, status } = await request("requested", { boundObjectRef: null });
  expect([code, kind, apiVersion]).toEqual([201, "TokenRequest", "authentication.k8s.io/v1"]);
  expect(metadata).toEqual({
    name: "requested",
    namespace: "default",
    uid: expect.any(String),
    creationTimestamp: expect.any(String),
  });
  expect(spec).toEqual({ audiences: [issuer], expirationSeconds: 3600, boundObjectRef: null });
  expect(Date.parse(status.expirationTimestamp)).toBe(Date.parse(metadata.creationTimestamp) + 3600_000);
});

test("a token authenticates its account; a client certificate takes precedence", async () => {
  await account("shown");
  const token = await tokenOf("shown");
  expect(await whoAmI(token)).toMatchObject({
    username: "system:serviceaccount:default:shown",
    groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^JTI=/)] },
  });
  const both = { method: "POST", headers: { ...json, authorization: `Bearer ${token}` }, body: "{}" };
  const response = await rawClient.send("/apis/authentication.k8s.io/v1/selfsubjectreviews", both);
  expect(parsed(response)["status"].userInfo).toMatchObject({
    username: "kubernetes-admin",
    extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
  });
});

test("an invalid token is unauthorized, not anonymous", async () => {
  await account("gone");
  const token = await tokenOf("gone");
  await remove(`${core}/serviceaccounts/gone`);
  for (const shown of ["nonsense", "a.b.c", `${token}x`, token])
    expect(await whoAmI(shown), shown).toMatchObject({ code: 401, reason: "Unauthorized" });
  expect((await review(token)).status).toEqual({
    user: {},
    error: '[invalid bearer token, serviceaccounts "gone" not found]',
  });
  expect((await review("nonsense")).status).toEqual({ user: {}, error: "invalid bearer token" });
});

test("a token is valid for its audiences", async () => {
  await account("guest");
  const token = await tokenOf("guest", { audiences: ["them", "others"] });
  expect(await whoAmI(token)).toMatchObject({ code: 401 });
  expect((await review(token)).status.error).toBe(
    `[invalid bearer token, token audiences ["them" "others"] is invalid for the target audiences ["${issuer}"]]`,
  );
  expect((await review(token, ["them", "us"])).status).toMatchObject({ authenticated: true, audiences: ["them"] });
});

test("a token bound to a pod is invalid after its deletion", async () => {
  const containers = [{ name: "c", image: "x" }];
  await account("runner");
  const { metadata } = await post(`${core}/pods`, {
    metadata: { name: "p" },
    spec: { containers, serviceAccountName: "runner", nodeName: "n", terminationGracePeriodSeconds: 0 },
  });
  await account("other");
  const boundObjectRef = { apiVersion: "v1", kind: "Pod", name: "p" };
  expect(await request("other", { boundObjectRef })).toMatchObject({
    code: 400,
    message: 'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
  });
  expect(await request("runner", { boundObjectRef: { ...boundObjectRef, uid: "else" } })).toMatchObject({
    code: 409,
    message:
      'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (else) does not match the UID in record. The object might have been deleted and then recreated',
  });
  const token = await tokenOf("runner", { boundObjectRef });
  expect((await whoAmI(token)).extra).toMatchObject({
    "authentication.kubernetes.io/node-name": ["n"],
    "authentication.kubernetes.io/pod-name": ["p"],
    "authentication.kubernetes.io/pod-uid": [metadata.uid],
  });
  await remove(`${core}/pods/p`);
  expect((await review(token)).status.error).toBe("[invalid bearer token, service account token has been invalidated]");
});

const refusals = [
  [
    "too short",
    { expirationSeconds: 599 },
    {},
    422,
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
  ],
  [
    "too long",
    { expirationSeconds: 2 ** 32 + 1 },
    {},
    422,
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
  ],
  [
    "bound to an unsupported kind",
    { boundObjectRef: { apiVersion: "v1", kind: "ConfigMap", name: "x" } },
    {},
    400,
    "cannot bind token to object of type /v1, Kind=ConfigMap",
  ],
  [
    "bound to a missing object",
    { boundObjectRef: { apiVersion: "v1", kind: "Secret", name: "x" } },
    {},
    404,
    'secrets "x" not found',
  ],
  [
    "for an account other than that of the path",
    {},
    { name: "else" },
    422,
    'TokenRequest.authentication.k8s.io "refused" is invalid: metadata.name: Invalid value: "else": must match the service account name if specified',
  ],
] as const;
for (const [what, spec, metadata, code, message] of refusals)
  test(`a request for a token is refused: ${what}`, async () => {
    await account("refused");
    expect(await request("refused", spec, metadata)).toMatchObject({ code, message });
  });

test("tokens can be verified with the published keys", async () => {
  const config = await rawClient.get("/.well-known/openid-configuration");
  expect(config).toEqual({
    issuer,
    jwks_uri: expect.stringMatching(/^https:\/\/192\.0\.2\.1:\d+\/openid\/v1\/jwks$/),
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  });
  expect(await rawClient.get("/.well-known/openid-configuration/")).toEqual(config);
  const response = await rawClient.send("/openid/v1/jwks");
  expect(response.headers).toMatchObject({
    "content-type": "application/jwk-set+json",
    "cache-control": "public, max-age=3600",
  });
  const [key, ...more] = parsed(response)["keys"];
  expect([key, more]).toMatchObject([{ use: "sig", kty: "EC", crv: "P-256", alg: "ES256" }, []]);
  await account("checked");
  const token = await tokenOf("checked");
  const [head = "", body = "", signature = ""] = token.split(".");
  expect(JSON.parse(Buffer.from(head, "base64url").toString()).kid).toBe(key.kid);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("jwk", key, algorithm, false, ["verify"]);
  const [sign, data] = [Buffer.from(signature, "base64url"), Buffer.from(`${head}.${body}`)];
  expect(await crypto.subtle.verify(algorithm, imported, sign, data)).toBe(true);
});

/** Gives an account a right, and waits until the server knows. */
async function grant(name: string, verb: string, resource: string): Promise<void> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const apiGroups = ["", "authentication.k8s.io"];
  await post(`${rbac}/clusterroles`, {
    metadata: { name },
    rules: [{ apiGroups, resources: ["groups", resource], verbs: [verb] }],
  });
  await post(`${rbac}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { kind: "ClusterRole", name },
    subjects: [{ kind: "ServiceAccount", name, namespace: "default" }],
  });
  const user = `system:serviceaccount:default:${name}`;
  const allowed = async (): Promise<boolean> => {
    const spec = { user, resourceAttributes: { verb, resource } };
    return (await post("/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec })).status.allowed;
  };
  await expect.poll(allowed).toBe(true);
}

test("an account's token gives no right but to read the API's description", async () => {
  await account("plain");
  const headers = { authorization: `Bearer ${await tokenOf("plain")}` };
  const get = async (path: string) => parsed(await rawClient.send(path, { headers, as: "nobody" }));
  expect(await get("/apis")).toMatchObject({ kind: "APIGroupList" });
  for (const path of ["/api/v1/pods", `${core}/secrets`, "/api/v1/nodes", `${core}/pods/x/log`])
    expect(await get(path), path).toMatchObject({ code: 403, reason: "Forbidden" });
});

test("an account with the right can impersonate another user", async () => {
  await account("actor");
  await grant("actor", "impersonate", "users");
  const token = await tokenOf("actor");
  expect(await whoAmI(token, { "impersonate-user": "me", "impersonate-group": "a" })).toEqual({
    username: "me",
    groups: ["a", "system:authenticated"],
  });
  expect(await whoAmI(token, { "impersonate-group": "a" })).toMatchObject({ code: 400 });
  const asNobody = { headers: { "impersonate-user": "system:anonymous" } };
  expect(parsed(await rawClient.send("/api/v1/pods", asNobody))["message"]).toBe(
    'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
  );
});

test("a browser sends its token as a WebSocket protocol", async () => {
  await account("browser");
  await grant("browser", "watch", "serviceaccounts");
  const token = Buffer.from(await tokenOf("browser")).toString("base64url");
  const protocols = [`base64url.bearer.authorization.k8s.io.${token}`, "events"];
  const url = `${server.url.replace("https", "wss")}${core}/serviceaccounts?watch=1`;
  const socket = new WebSocket(url, protocols, { ca: server.ca, origin: "http://page" });
  const [message] = await once(socket, "message");
  expect([JSON.parse(message).type, socket.protocol]).toEqual(["ADDED", "events"]);
  socket.close();
  await once(socket, "close");
});
