// Certificates through the whole server under RBAC: a machine with a bootstrap token becomes a node, a node renews its
// certificates, nobody gets those of another, and a client changes its certificate while it is used.
import { createPublicKey, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { selfSubjectReviews } from "../../api/authentication/selfsubjectreviews.ts";
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { nodes } from "../../api/core/nodes.ts";
import { secrets } from "../../api/core/secrets.ts";
import type { ConfigMap, Node, Secret, SelfSubjectReview } from "../../api/generated/types.ts";
import { type Draft, key, timestamp } from "../../api/meta.ts";
import type { Pem } from "../../cli/cluster/pki.ts";
import { detachedSignature } from "../../controllers/bootstraptokens/cluster-info.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { clientCertificate } from "../../kubelet/certificates/node-certificates.ts";
import { requestCertificate } from "../../kubelet/certificates/rotation.ts";
import type { Client } from "../../machinery/client.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { World } from "../../machinery/world.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const real = realWorld(() => {});
/** How far the server's clock is ahead. */
let ahead = 0;
const world: World = { ...real, clock: { ...real.clock, now: () => (real.clock.now() + ahead) as never } };
const day = 86_400_000;
const stop = new AbortController();
let server: TestServer;
let running: Promise<void>;

beforeAll(async () => {
  server = await listeningServer({ authorizationMode: "RBAC", world });
  const options = {
    ...{ rootCa: server.ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000, joinServer: server.url },
    autoscaler: { periodMs: 15_000, shrinkWindowSeconds: 300 },
    ...{ signing: { pem: server.authority.pem, longestMs: 30 * day }, apiServerNames: ["localhost", "10.0.0.9"] },
  };
  running = runControllers(server.inProcess, world, options, stop.signal).catch(() => {});
});
afterAll(async () => {
  stop.abort(new Error("the tests are over"));
  await running;
  await server.close();
});

const clientWith = (credentials: { readonly token: string } | Pem): Client =>
  httpClient({ url: server.url, ca: server.ca, userAgent: "test", ...credentials }, world, stop.signal);
const whoIs = async (client: Client): Promise<string> => {
  const review: Draft<SelfSubjectReview> = { kind: "SelfSubjectReview", metadata: {} };
  const { username, groups = [] } = (await client.create(selfSubjectReviews, review)).status!.userInfo!;
  return `${username} (${groups.join(", ")})`;
};
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "no failure",
    (e: Error) => e.message,
  );

const inBase64 = (fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, Buffer.from(text).toString("base64")]));
/** A token of these fields beside the usual ones, under this id. */
async function tokenWith(id: string, fields: Readonly<Record<string, string>> = {}, more: object = {}) {
  const secret = `${id}0123456789`;
  const usual = {
    ...{
      "token-id": id,
      "token-secret": secret,
      "auth-extra-groups": "system:bootstrappers:orrery:default-node-token",
    },
    ...{ "usage-bootstrap-authentication": "true", "usage-bootstrap-signing": "true" },
  };
  const draft: Draft<Secret> = {
    ...{ kind: "Secret", type: "bootstrap.kubernetes.io/token" },
    metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    data: inBase64({ ...usual, ...fields }),
    ...more,
  };
  await server.inProcess.create(secrets, draft);
  return { id, secret, token: `${id}.${secret}` };
}
const ports = (client: Client) => ({ client, world });
const certificateFor = (nodeName: string, client: Client): Promise<Pem> =>
  requestCertificate(ports(client), clientCertificate({ nodeName, stateDir: "/none" }), AbortSignal.timeout(20_000));

test("a bootstrap token authenticates its holder, with its groups", async () => {
  const { token } = await tokenWith("aaaaa1", { "auth-extra-groups": "system:bootstrappers:b,system:bootstrappers:a" });
  expect(await whoIs(clientWith({ token }))).toBe(
    "system:bootstrap:aaaaa1 (system:bootstrappers, system:bootstrappers:a, system:bootstrappers:b, system:authenticated)",
  );
});

const later = (ms: number): string => timestamp((Date.now() + ms) as never);
for (const [what, id, fields, more] of [
  ["expired", "bbbbb1", { expiration: later(-1000) }, {}],
  ["has an unreadable expiry", "bbbbb2", { expiration: "tomorrow" }, {}],
  ["is not for authentication", "bbbbb3", { "usage-bootstrap-authentication": "false" }, {}],
  ["has another id inside", "bbbbb4", { "token-id": "bbbbb9" }, {}],
  ["has another type", "bbbbb5", {}, { type: "Opaque" }],
  ["is in another namespace", "bbbbb6", {}, { metadata: { name: "bootstrap-token-bbbbb6", namespace: "default" } }],
  ["has an extra group that is not one of bootstrappers", "bbbbb7", { "auth-extra-groups": "system:masters" }, {}],
  ["has another secret", "bbbbb8", { "token-secret": "0000000000000000" }, {}],
] as const)
  test(`a bootstrap token that ${what} gets nothing`, async () => {
    const { token } = await tokenWith(id, fields, more);
    expect(await failure(whoIs(clientWith({ token })))).toBe("Unauthorized");
  });

test("a bootstrap token counts until it is deleted, and its cleaner deletes it when it expires", async () => {
  const { token, id } = await tokenWith("ccccc1");
  const client = clientWith({ token });
  expect(await whoIs(client)).toMatch(/^system:bootstrap:ccccc1/);
  const at = key("kube-system", `bootstrap-token-${id}`);
  await server.inProcess.delete(secrets, at);
  expect(await failure(whoIs(client))).toBe("Unauthorized");
  await tokenWith("ccccc2", { expiration: later(1500) });
  const second = key("kube-system", "bootstrap-token-ccccc2");
  await expect.poll(() => failure(server.inProcess.get(secrets, second)), { timeout: 5000 }).toMatch(/not found/);
});

test("the cluster's authority is published, signed by the tokens that may sign", async () => {
  const one = await tokenWith("ddddd1");
  await tokenWith("ddddd2", { "usage-bootstrap-signing": "false" });
  const at = key("kube-public", "cluster-info");
  const info = (): Promise<ConfigMap> => server.inProcess.get(configMaps, at);
  await expect.poll(async () => (await info()).data?.["jws-kubeconfig-ddddd1"]).toBeDefined();
  const { data = {} } = await info();
  expect(data["jws-kubeconfig-ddddd2"]).toBeUndefined();
  expect(data["jws-kubeconfig-ddddd1"]).toBe(detachedSignature(data["kubeconfig"]!, one));
  expect(data["kubeconfig"]).toContain(Buffer.from(server.ca).toString("base64"));
  const anonymous = (path: string): Promise<number> =>
    import("node:https").then(
      ({ get }) =>
        new Promise((resolve, reject) => {
          get(`${server.url}${path}`, { ca: server.ca, agent: false }, (response) => {
            response.resume();
            resolve(response.statusCode!);
          }).on("error", reject);
        }),
    );
  const path = "/api/v1/namespaces/kube-public/configmaps";
  expect(await anonymous(`${path}/cluster-info`)).toBe(200);
  expect([await anonymous(path), await anonymous(`${path}/kube-root-ca.crt`)]).toEqual([403, 403]);
  await server.inProcess.delete(secrets, key("kube-system", "bootstrap-token-ddddd1"));
  await expect.poll(async () => (await info()).data?.["jws-kubeconfig-ddddd1"]).toBeUndefined();
});

test("the signature is that of RFC 7515 with HS256, as other implementations compute it", () => {
  expect(detachedSignature("hello", { id: "abcdef", secret: "0123456789abcdef" })).toBe(
    "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..MxsnbCjBaYzcbNIFa06F-wuF9LX26rhMlrL4zA1511s",
  );
});

test("a machine with a token becomes a node, renews its certificate, and gets no other node's", async () => {
  const { token } = await tokenWith("eeeee1");
  const joining = clientWith({ token });
  const pair = await certificateFor("m1", joining);
  const certificate = new X509Certificate(pair.cert);
  expect(certificate.verify(createPublicKey(server.authority.pem.cert))).toBe(true);
  const node = clientWith(pair);
  expect(await whoIs(node)).toBe("system:node:m1 (system:nodes, system:authenticated)");
  const renewed = await certificateFor("m1", node);
  expect(await whoIs(clientWith(renewed))).toBe("system:node:m1 (system:nodes, system:authenticated)");
  const { items } = await server.inProcess.list(certificateSigningRequests);
  expect(items.map(({ status }) => status!.conditions![0]!.message).toSorted()).toEqual([
    "Auto approving kubelet client certificate after SubjectAccessReview.",
    "Auto approving self kubelet client certificate after SubjectAccessReview.",
  ]);
  const other = requestCertificate(
    ports(node),
    clientCertificate({ nodeName: "m2", stateDir: "/none" }),
    AbortSignal.timeout(1500),
  );
  expect(await failure(other)).toContain("can only create a node CSR with CN=system:node:m1");
});

test("a serving certificate is issued for the node's own names, once the node is there", async () => {
  const { token } = await tokenWith("fffff1");
  const node = clientWith(await certificateFor("s1", clientWith({ token })));
  const request = (dnsNames: readonly string[], ipAddresses: readonly string[], ms: number): Promise<Pem> =>
    requestCertificate(
      ports(node),
      {
        ...{ signerName: "kubernetes.io/kubelet-serving", usages: ["digital signature", "server auth"] },
        content: { commonName: "system:node:s1", organizations: ["system:nodes"], dnsNames, ipAddresses },
      },
      AbortSignal.timeout(ms),
    );
  const pending = request(["s1"], ["10.0.0.1"], 20_000);
  const draft: Draft<Node> = { kind: "Node", metadata: { name: "s1" }, spec: {} };
  const created = await server.inProcess.create(nodes, draft);
  const addresses = [
    { type: "InternalIP", address: "10.0.0.1" },
    { type: "Hostname", address: "s1" },
    { type: "ExternalIP", address: "10.0.0.9" },
  ];
  await server.inProcess.update(nodes, { ...created, status: { ...created.status, addresses } }, "status");
  const { cert } = await pending;
  expect(new X509Certificate(cert).subjectAltName).toBe("DNS:s1, IP Address:10.0.0.1");
  for (const [dnsNames, ipAddresses] of [
    [["localhost"], []],
    [[], ["10.0.0.9"]],
    [["s1"], ["10.0.0.2"]],
    [["kubernetes.default.svc"], []],
  ] as const)
    expect(await failure(request(dnsNames, ipAddresses, 700))).not.toBe("no failure");
});

test("approval and signing need the verbs approve and sign on the signer", async () => {
  const { token } = await tokenWith("ggggg1", { "auth-extra-groups": "system:bootstrappers:none" });
  // Without the group of those that join, not even a request can be made.
  expect(await failure(certificateFor("x1", clientWith({ token })))).toMatch(/is forbidden/);
  const stranger = clientWith(await server.authority.issue({ name: "eve", use: "client" }));
  const [request] = (await server.inProcess.list(certificateSigningRequests)).items.filter(
    ({ status }) => !status?.conditions?.length,
  );
  const conditions = [{ type: "Approved", status: "True" } as const];
  expect(
    await failure(stranger.update(certificateSigningRequests, { ...request!, status: { conditions } }, "approval")),
  ).toMatch(/cannot update resource "certificatesigningrequests\/approval"/);
});

test("a client changes its certificate while it is used: requests and watches go on", async () => {
  const [one, two] = await Promise.all(
    ["one", "two"].map((name) => server.authority.issue({ name, groups: ["system:masters"], use: "client" })),
  );
  let pair = one!;
  const life = new AbortController();
  const client = httpClient(
    { url: server.url, ca: server.ca, userAgent: "test", pair: () => pair },
    world,
    life.signal,
  );
  try {
    expect(await whoIs(client)).toMatch(/^one /);
    const seen: string[] = [];
    const from = await client.revision(configMaps);
    const watching = (async () => {
      for await (const event of client.watch(configMaps, { from, namespace: "default" }, life.signal))
        if (event.type === "applied") seen.push(event.object.metadata.name);
    })().catch((e: Error) => void seen.push(e.message));
    const write = (name: string): Promise<unknown> => {
      const draft: Draft<ConfigMap> = { kind: "ConfigMap", metadata: { name, namespace: "default" } };
      return client.create(configMaps, draft);
    };
    const inFlight = Array.from({ length: 20 }, (_, i) => write(`before-${i}`));
    pair = two!;
    await write("after");
    expect((await Promise.allSettled(inFlight)).every(({ status }) => status === "fulfilled")).toBe(true);
    expect(await whoIs(client)).toMatch(/^two /);
    await expect.poll(() => seen.includes("after")).toBe(true);
    expect(seen.filter((name) => name.startsWith("before")).length).toBe(20);
    life.abort(new Error("over"));
    await watching;
  } finally {
    life.abort(new Error("over"));
  }
});

test("a certificate counts only until it expires, also on a connection that is open", async () => {
  const client = clientWith(await server.authority.issue({ name: "short", use: "client", days: 1 }));
  expect(await whoIs(client)).toMatch(/^short /);
  try {
    ahead = 2 * day;
    expect(await failure(whoIs(client))).toBe("Unauthorized");
  } finally {
    ahead = 0;
  }
  expect(await whoIs(client)).toMatch(/^short /);
});
