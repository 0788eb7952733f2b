// Service accounts that show their tokens, over the wire.
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { askerOf, type Asker, json, parsed } from "./requests.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let asker: Asker;
beforeAll(async () => {
  server = await listeningServer();
  asker = askerOf(server);
});
afterAll(() => server.close());

const core = "/api/v1/namespaces/default";
const issuer = "https://kubernetes.default.svc.cluster.local";
const post = async (path: string, body: object): Promise<Record<string, any>> => {
  const { status, text } = await asker.ask(path, { method: "POST", headers: json, body: JSON.stringify(body) });
  return { ...JSON.parse(text), code: status };
};
const remove = (path: string) => asker.ask(path, { method: "DELETE" });
const account = (name: string) => post(`${core}/serviceaccounts`, { metadata: { name } });
const request = (name: string, spec: object = {}, metadata: object = {}) =>
  post(`${core}/serviceaccounts/${name}/token`, { metadata, spec });
const tokenOf = async (name: string, spec: object = {}): Promise<string> => (await request(name, spec)).status.token;
const review = (token: string, audiences: readonly string[] = []) =>
  post("/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token, audiences } });
const whoAmI = async (token: string, more: Record<string, string> = {}) => {
  const headers = { ...json, authorization: `Bearer ${token}`, ...more };
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const answer = await asker.ask(path, { method: "POST", headers, body: "{}", as: "nobody" });
  return answer.status === 201 ? parsed(answer)["status"].userInfo : parsed(answer);
};

test("a token is asked for and given, with what was left out", async () => {
  await account("asked");
  const { code, kind, apiVersion, metadata, spec, status } = await request("asked", { boundObjectRef: null });
  expect([code, kind, apiVersion]).toEqual([201, "TokenRequest", "authentication.k8s.io/v1"]);
  expect(metadata).toEqual({
    name: "asked",
    namespace: "default",
    uid: expect.any(String),
    creationTimestamp: expect.any(String),
  });
  expect(spec).toEqual({ audiences: [issuer], expirationSeconds: 3600, boundObjectRef: null });
  expect(Date.parse(status.expirationTimestamp)).toBe(Date.parse(metadata.creationTimestamp) + 3600_000);
});

test("who shows a token is its account; a certificate comes first", async () => {
  await account("shown");
  const token = await tokenOf("shown");
  expect(await whoAmI(token)).toMatchObject({
    username: "system:serviceaccount:default:shown",
    groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^JTI=/)] },
  });
  const both = { method: "POST", headers: { ...json, authorization: `Bearer ${token}` }, body: "{}" };
  const answer = await asker.ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", both);
  expect(parsed(answer)["status"].userInfo).toMatchObject({
    username: "kubernetes-admin",
    extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
  });
});

test("a token that does not count lets nobody in, not even as nobody", async () => {
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

test("a token is for those it was made for", async () => {
  await account("guest");
  const token = await tokenOf("guest", { audiences: ["them", "others"] });
  expect(await whoAmI(token)).toMatchObject({ code: 401 });
  expect((await review(token)).status.error).toBe(
    `[invalid bearer token, token audiences ["them" "others"] is invalid for the target audiences ["${issuer}"]]`,
  );
  expect((await review(token, ["them", "us"])).status).toMatchObject({ authenticated: true, audiences: ["them"] });
});

test("a token that is bound to a pod goes with it", async () => {
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
    "bound to what cannot hold it",
    { boundObjectRef: { apiVersion: "v1", kind: "ConfigMap", name: "x" } },
    {},
    400,
    "cannot bind token to object of type /v1, Kind=ConfigMap",
  ],
  [
    "bound to what is not there",
    { boundObjectRef: { apiVersion: "v1", kind: "Secret", name: "x" } },
    {},
    404,
    'secrets "x" not found',
  ],
  [
    "for another account than the path's",
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

test("others can check tokens by themselves", async () => {
  const config = await asker.get("/.well-known/openid-configuration");
  expect(config).toEqual({
    issuer,
    jwks_uri: expect.stringMatching(/^https:\/\/192\.0\.2\.1:\d+\/openid\/v1\/jwks$/),
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  });
  expect(await asker.get("/.well-known/openid-configuration/")).toEqual(config);
  const answer = await asker.ask("/openid/v1/jwks");
  expect(answer.headers).toMatchObject({
    "content-type": "application/jwk-set+json",
    "cache-control": "public, max-age=3600",
  });
  const [key, ...more] = parsed(answer)["keys"];
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

test("an account that asks as somebody else is that somebody", async () => {
  await account("actor");
  const token = await tokenOf("actor");
  expect(await whoAmI(token, { "impersonate-user": "me", "impersonate-group": "a" })).toEqual({
    username: "me",
    groups: ["a", "system:authenticated"],
  });
  expect(await whoAmI(token, { "impersonate-group": "a" })).toMatchObject({ code: 400 });
  const asNobody = { headers: { "impersonate-user": "system:anonymous" } };
  expect(parsed(await asker.ask("/api/v1/pods", asNobody))["message"]).toBe(
    'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
  );
});

test("a browser shows its token among the protocols it offers", async () => {
  await account("browser");
  const token = Buffer.from(await tokenOf("browser")).toString("base64url");
  const protocols = [`base64url.bearer.authorization.k8s.io.${token}`, "events"];
  const url = `${server.url.replace("https", "wss")}${core}/serviceaccounts?watch=1`;
  const socket = new WebSocket(url, protocols, { ca: server.ca, origin: "http://page" });
  const [message] = await once(socket, "message");
  expect([JSON.parse(message).type, socket.protocol]).toEqual(["ADDED", "events"]);
  socket.close();
  await once(socket, "close");
});
