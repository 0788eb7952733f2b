// Tokens of an outside provider (OpenID Connect): which count, and whose they are.
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { exportJWK, type JWTPayload } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Instant } from "../../api/meta.ts";
import { configuredAuthentication } from "../../apiserver/authentication/oidc/authenticator.ts";
import type { AuthenticationOptions, JwtAuthenticator } from "../../apiserver/authentication/oidc/configuration.ts";
import { asymmetricAlgorithms } from "../../apiserver/authentication/oidc/configuration-file.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { listeningServer } from "./listening.ts";
import { json, parsed, rawClientOf } from "./raw-client.ts";
import { type TokenProvider, tokenProvider } from "./token-provider.ts";

let provider: TokenProvider;
let now: number;
beforeEach(async () => {
  provider = await tokenProvider();
  now = Date.now();
});
afterEach(() => provider.close());

const clock = { ...realWorld(() => {}).clock, now: () => now as Instant };
const seconds = (): number => Math.floor(now / 1000);
const claims = (more: JWTPayload = {}): JWTPayload => ({
  ...{ iss: provider.url, aud: "orrery", sub: "jane", exp: seconds() + 600 },
  ...more,
});
const configured = (more: Partial<JwtAuthenticator> = {}): JwtAuthenticator => ({
  issuer: { url: provider.url, audiences: ["orrery"], certificateAuthority: provider.ca },
  claimMappings: { username: { claim: "sub", prefix: "" }, groups: { claim: "groups", prefix: "org:" } },
  ...more,
});
const optionsOf = (jwt: JwtAuthenticator): AuthenticationOptions => ({ jwt: [jwt], algorithms: asymmetricAlgorithms });
const authenticator = (more: Partial<JwtAuthenticator> = {}) =>
  configuredAuthentication(optionsOf(configured(more)), { clock, log: () => {} }).authenticators![0]!;

const whoAmI = async (server: Awaited<ReturnType<typeof listeningServer>>, token: string) => {
  const headers = { ...json, authorization: `Bearer ${token}` };
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const response = await rawClientOf(server).send(path, { method: "POST", headers, body: "{}", as: "nobody" });
  return response.status === 201 ? parsed(response)["status"].userInfo : response.status;
};

test("a token names its user; the server starts and serves others while the provider is down", async () => {
  provider.setUp(false);
  const server = await listeningServer({ authentication: optionsOf(configured()) });
  try {
    expect(provider.requests).toEqual([]);
    const token = await provider.token(claims({ groups: ["dev"], jti: "7" }));
    expect(await whoAmI(server, token)).toBe(401);
    expect(await whoAmI(server, "x.y.z")).toBe(401);
    await rawClientOf(server).get("/api/v1/namespaces");
    const other = await listeningServer({ authentication: optionsOf(configured()) });
    provider.setUp(true);
    const review = await rawClientOf(other).send("/apis/authentication.k8s.io/v1/tokenreviews", {
      ...{ method: "POST", headers: json },
      body: JSON.stringify({ spec: { token } }),
    });
    const user = {
      username: "jane",
      groups: ["org:dev", "system:authenticated"],
      extra: { "authentication.kubernetes.io/credential-id": ["JTI=7"] },
    };
    expect(parsed(review)["status"]).toEqual({
      ...{ authenticated: true, user },
      audiences: ["https://kubernetes.default.svc.cluster.local"],
    });
    expect(await whoAmI(other, token)).toEqual(user);
    await other.close();
  } finally {
    await server.close();
  }
});

test.each([
  [{ enabled: false }, 401, 401],
  [{ enabled: true, conditions: [{ path: "/livez" }] }, 200, 401],
  [{ enabled: true }, 200, 200],
])("anonymous requests under %j", async (anonymous, atHealth, atVersion) => {
  const server = await listeningServer({ authentication: { anonymous, algorithms: [] } });
  const status = async (path: string) => (await rawClientOf(server).send(path, { as: "nobody" })).status;
  try {
    expect([await status("/livez?verbose"), await status("/version")]).toEqual([atHealth, atVersion]);
  } finally {
    await server.close();
  }
});

test.each<[string, JWTPayload, RegExp]>([
  ["another audience", { aud: "someone" }, /expected audience in \["orrery"\] got \["someone"\]/],
  ["no audience", { aud: undefined }, /expected audience/],
  ["expired", { exp: 1 }, /token is expired/],
  ["without an end", { exp: undefined }, /token is expired/],
  ["not valid yet", { nbf: 9e9 }, /not valid yet/],
  ["without a name", { sub: undefined }, /parse username claims "sub": claim not present/],
  ["an empty name", { sub: "" }, /empty username/],
  ["a name of the cluster", { sub: "system:admin" }, /"system:admin" is not allowed/],
])("a token does not count that is: %s", async (_, more, because) => {
  await expect(authenticator()(await provider.token(claims(more)))).rejects.toThrow(because);
});

test("a token counts for several audiences, and a moment before it is valid", async () => {
  const token = await provider.token(claims({ aud: ["other", "orrery"], nbf: seconds() + 30 }));
  expect(await authenticator()(token)).toEqual({ name: "jane", groups: ["system:authenticated"] });
});

test("a token of another issuer is left to other authenticators, and nothing is read", async () => {
  expect(await authenticator()(await provider.token(claims({ iss: "https://else" })))).toBeUndefined();
  expect(await authenticator()("nonsense")).toBeUndefined();
  expect(provider.requests).toEqual([]);
});

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("no token counts without a signature, or signed with a secret that is the public key", async () => {
  const body = part(claims());
  const none = `${part({ alg: "none" })}.${body}.`;
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" });
  const head = `${part({ alg: "HS256", kid: "k1" })}.${body}`;
  const secret = `${head}.${createHmac("sha256", key).update(head).digest("base64url")}`;
  for (const token of [none, secret]) await expect(authenticator()(token)).rejects.toThrow(/unsupported algorithm/);
  expect(provider.requests).toEqual([]);
});

test("no token counts that brings its key along", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const head = `${part({ alg: "RS256", kid: "k1", jwk: await exportJWK(publicKey), jku: "https://evil" })}.${part(claims())}`;
  const token = `${head}.${sign("sha256", Buffer.from(head), privateKey).toString("base64url")}`;
  await expect(authenticator()(token)).rejects.toThrow(/failed to verify signature/);
});

test("no token counts with a changed body, or of an algorithm that is not configured", async () => {
  const [head, , signature] = (await provider.token(claims())).split(".");
  const forged = [head, part(claims({ sub: "admin" })), signature].join(".");
  await expect(authenticator()(forged)).rejects.toThrow(/failed to verify signature/);
  await provider.rotate("ES256");
  const token = await provider.token(claims());
  const { authenticators } = configuredAuthentication(
    { jwt: [configured()], algorithms: ["RS256"] },
    { clock, log: () => {} },
  );
  await expect(authenticators![0]!(token)).rejects.toThrow(/expected \["RS256"\] got "ES256"/);
  expect(await authenticator()(token)).toMatchObject({ name: "jane" });
});

test("a verified token is verified again after a while, and never counts after its end", async () => {
  const authenticate = authenticator();
  const [first, second] = [await provider.token(claims()), await provider.token(claims({ sub: "joe" }))];
  await authenticate(first);
  now += 5_000;
  await authenticate(second);
  now += 5_000;
  await provider.rotate();
  // Its key is unknown, so the keys are read again.
  const short = await provider.token(claims({ sub: "ann", exp: seconds() + 3 }));
  expect(await authenticate(short)).toMatchObject({ name: "ann" });
  await expect(authenticate(first)).rejects.toThrow(/failed to verify signature/);
  expect(await authenticate(second)).toMatchObject({ name: "joe" });
  now += 5_000;
  await expect(authenticate(second)).rejects.toThrow(/failed to verify signature/);
  await expect(authenticate(short)).rejects.toThrow(/token is expired/);
});

test("keys are read once for many tokens, and again for a new key, but not for made-up ones", async () => {
  const authenticate = authenticator();
  const tokens = await Promise.all(["a", "b", "c"].map((sub) => provider.token(claims({ sub }))));
  await Promise.all(tokens.map(authenticate));
  expect(provider.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
  const fake = await provider.token(claims(), { kid: "made-up" });
  for (let i = 0; i < 3; i++) await expect(authenticate(fake)).rejects.toThrow(/failed to verify signature/);
  expect(provider.requests).toHaveLength(2);
  await provider.rotate();
  now += 10_000;
  expect(await authenticate(await provider.token(claims({ sub: "d" })))).toMatchObject({ name: "d" });
  expect(provider.requests).toHaveLength(4);
});

test("keys are read less and less often while the provider is down, and then found", async () => {
  const authenticate = authenticator();
  provider.setUp(false);
  const token = await provider.token(claims());
  for (const [waits, requests] of [
    [0, 1],
    [500, 1],
    [600, 2],
    [1_000, 2],
    [1_100, 3],
  ] as const) {
    now += waits;
    await expect(authenticate(token)).rejects.toThrow(/authenticator not initialized.*status 503/);
    expect(provider.requests).toHaveLength(requests);
  }
  provider.setUp(true);
  now += 60_000;
  expect(await authenticate(token)).toMatchObject({ name: "jane" });
});

test("keys stay in use when they cannot be read again", async () => {
  const authenticate = authenticator();
  const token = await provider.token(claims({ exp: seconds() + 90_000 }));
  await authenticate(token);
  now += 3_600_001;
  provider.setUp(false);
  expect(await authenticate(token)).toMatchObject({ name: "jane" });
  expect(provider.requests).toHaveLength(3);
  provider.setUp(true);
  await provider.rotate();
  now += 60_000;
  await expect(authenticate(token)).rejects.toThrow(/failed to verify signature/);
});

const configuration = "/.well-known/openid-configuration";
test.each<[string, () => void, RegExp]>([
  [
    "of another issuer",
    () => provider.answers.set(configuration, { body: '{"issuer":"https://else","jwks_uri":"https://else"}' }),
    /issuer did not match the issuer returned by provider, expected "https:\/\/127.*got "https:\/\/else"/,
  ],
  [
    "at a plain address",
    () =>
      provider.answers.set(configuration, {
        body: JSON.stringify({ issuer: provider.url, jwks_uri: "http://127.0.0.1/keys" }),
      }),
    /no address of keys that begins with https/,
  ],
  [
    "behind a redirect",
    () => provider.answers.set("/keys", { status: 302, headers: { location: `${provider.url}/other` }, body: "" }),
    /status 302/,
  ],
  ["too large", () => provider.answers.set("/keys", { body: " ".repeat(1_100_000) }), /larger than 1048576 bytes/],
  ["no JSON", () => provider.answers.set("/keys", { body: "<html>" }), /no JSON/],
  ["null", () => provider.answers.set(configuration, { body: "null" }), /issuer did not match/],
  ["no keys", () => provider.answers.set("/keys", { body: "[]" }), /JSON Web Key Set malformed/],
])("keys do not count when they are %s", async (_, arrange, because) => {
  arrange();
  await expect(authenticator()(await provider.token(claims()))).rejects.toThrow(because);
});

test("keys do not count when the provider's certificate is of another authority", async () => {
  const { certificateAuthority: _, ...issuer } = configured().issuer;
  const token = await provider.token(claims());
  await expect(authenticator({ issuer })(token)).rejects.toThrow(/not initialized: .*certificate/);
  expect(provider.requests).toEqual([]);
});

test("keys are found at another address", async () => {
  provider.answers.set("/elsewhere", {
    body: JSON.stringify({ issuer: provider.url, jwks_uri: `${provider.url}/keys` }),
  });
  const issuer = { ...configured().issuer, discoveryURL: `${provider.url}/elsewhere` };
  expect(await authenticator({ issuer })(await provider.token(claims()))).toMatchObject({ name: "jane" });
  expect(provider.requests).toEqual(["/elsewhere", "/keys"]);
});

test("keys without ids are tried one after the other", async () => {
  const key = await exportJWK(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey);
  const { kid: _, ...own } = provider.key();
  provider.answers.set("/keys", { body: JSON.stringify({ keys: [key, own] }) });
  const authenticate = authenticator();
  expect(await authenticate(await provider.token(claims(), { kid: undefined }))).toMatchObject({ name: "jane" });
  provider.answers.set("/keys", { body: JSON.stringify({ keys: [key, key] }) });
  now += 60_000;
  const unknown = await provider.token(claims({ sub: "joe" }), { kid: undefined });
  expect(await authenticate(unknown)).toMatchObject({ name: "joe" });
  await provider.rotate();
  const other = await provider.token(claims({ sub: "eve" }), { kid: undefined });
  await expect(authenticate(other)).rejects.toThrow(/failed to verify signature/);
});
