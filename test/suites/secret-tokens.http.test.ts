// Tokens in secrets of the type kubernetes.io/service-account-token, through the whole server with its controllers.
import { afterAll, beforeAll, expect, test } from "vitest";
import { signingKey } from "../../apiserver/authentication/signing.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { jsonClientOf, type SendJson } from "./json-client.ts";

const world = realWorld(() => {});
const stop = new AbortController();
const core = "/api/v1/namespaces/default";
let server: TestServer;
let send: SendJson;
let running: Promise<void>;
beforeAll(async () => {
  server = await listeningServer({ authorizationMode: "RBAC" });
  send = jsonClientOf(server);
  const options = {
    ...{ rootCa: server.ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000 },
    autoscaler: { periodMs: 15_000, shrinkWindowSeconds: 300 },
    signToken: signingKey(server.tokenKey).sign,
  };
  running = runControllers(server.as("kube-controller-manager"), world, options, stop.signal).catch(() => {});
});
afterAll(async () => {
  stop.abort(new Error("the tests are over"));
  await running;
  await server.close();
});

const secretAt = async (name: string) => (await send("GET", `${core}/secrets/${name}`)).json;
const text = (data: string): string => Buffer.from(data, "base64").toString();
const reviewed = async (token: string) =>
  (await send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token } })).json.status;

const patch = { "content-type": "application/merge-patch+json" };

/** Creates an account and a secret for its token. */
async function filledSecret(name: string) {
  await send("POST", `${core}/serviceaccounts`, { metadata: { name } });
  const annotations = { "kubernetes.io/service-account.name": name };
  const type = "kubernetes.io/service-account-token";
  await send("POST", `${core}/secrets`, { metadata: { name, annotations }, type });
  await expect.poll(async () => (await secretAt(name)).data?.token, { timeout: 10_000 }).toBeTruthy();
  return secretAt(name);
}

test("a secret is filled, its token authenticates, and the day of its use is recorded", async () => {
  const { data, metadata } = await filledSecret("builder");
  expect([text(data["ca.crt"]), text(data.namespace)]).toEqual([server.ca, "default"]);
  const account = (await send("GET", `${core}/serviceaccounts/builder`)).json;
  expect(metadata.annotations["kubernetes.io/service-account.uid"]).toBe(account.metadata.uid);
  expect(await reviewed(text(data.token))).toMatchObject({
    authenticated: true,
    user: { username: "system:serviceaccount:default:builder", uid: account.metadata.uid },
  });
  const label = (await secretAt("builder")).metadata.labels["kubernetes.io/legacy-token-last-used"];
  expect(label).toMatch(/^\d{4}-\d\d-\d\d$/);
});

test("damaged content is restored; the former token counts no more", async () => {
  const former = text((await filledSecret("damaged")).data.token);
  await send("PATCH", `${core}/secrets/damaged`, { data: { token: "", "ca.crt": "" } }, patch);
  const isRestored = async () => {
    const { data } = await secretAt("damaged");
    return data.token !== "" && text(data["ca.crt"]) === server.ca;
  };
  await expect.poll(isRestored, { timeout: 10_000 }).toBe(true);
  expect((await reviewed(former)).error).toContain("Token does not match server's copy");
  expect(await reviewed(text((await secretAt("damaged")).data.token))).toMatchObject({ authenticated: true });
});

test("a token counts no more once its secret is deleted, or marked as invalid", async () => {
  const token = text((await filledSecret("revoked")).data.token);
  const labels = { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" };
  await send("PATCH", `${core}/secrets/revoked`, { metadata: { labels } }, patch);
  expect((await reviewed(token)).error).toContain("has been marked invalid");
  await send("DELETE", `${core}/secrets/revoked`);
  expect((await reviewed(token)).error).toContain("Token has been invalidated");
});

test("a secret is deleted with its account", async () => {
  await filledSecret("brief");
  await send("DELETE", `${core}/serviceaccounts/brief`);
  await expect.poll(async () => (await secretAt("brief")).code, { timeout: 10_000 }).toBe(404);
});
