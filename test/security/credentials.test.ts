// Credentials that count for nothing: certificates and tokens that are foreign, expired, revoked, forged or for another
// purpose.
import { createHmac, createPublicKey, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instant } from "../../api/meta.ts";
import { newAuthority, newSigningKey } from "../../cli/cluster/pki.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { tokens } from "../../apiserver/authentication/tokens.ts";
import { bootstrap } from "../../apiserver/bootstrap/objects.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { beginning, seeded, virtualClock } from "../sim/virtual-clock.ts";
import { type Target, target } from "./attacker.ts";

const secret = "/api/v1/namespaces/kube-system/secrets/crown";
let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());
const now = (): ReturnType<typeof instant> => instant(Date.now());

test("without a certificate or a token there is health, and no discovery", async () => {
  for (const path of [secret, "/", "/api", "/apis", "/api/v1", "/openapi/v2", "/openapi/v3", "/metrics"])
    await t.refused({ path }, 403);
  for (const path of ["/livez", "/readyz", "/healthz", "/version"])
    expect((await t.attempt({ path })).status, path).toBe(200);
});

test("a refused read is the same whether the object exists or not", async () => {
  const token = await t.tokenOf("curious");
  const texts = await Promise.all(
    ["crown", "crumb"].map(async (name) => {
      const { text } = await t.attempt({ path: `/api/v1/namespaces/kube-system/secrets/${name}`, token });
      return text.replaceAll(name, "NAME").replaceAll(/^(audit-id|date): .*$/gim, "");
    }),
  );
  expect(texts[0]).toBe(texts[1]);
  expect(texts[0]).toContain('"code":403');
});

test("a certificate of a foreign authority, though it has the same name", async () => {
  const foreign = await newAuthority("test", now());
  const certificate = await foreign.issue({ name: "kubernetes-admin", groups: ["system:masters"], use: "client" });
  await t.refused({ path: secret, certificate }, 401);
});

test("a certificate that is not valid any more, or not yet", async () => {
  const years = 365 * 86_400_000;
  const subject = { name: "kubernetes-admin", groups: ["system:masters"], use: "client" } as const;
  for (const offset of [-11 * years, 11 * years]) {
    const { authorityFrom } = await import("../../cli/cluster/pki.ts");
    const other = await authorityFrom(t.server.authority.pem, instant(Date.now() + offset));
    await t.refused({ path: secret, certificate: await other.issue(subject) }, 401);
  }
});

test("a certificate of a server is none of a client", async () => {
  const subject = { name: "kubernetes-admin", groups: ["system:masters"], hosts: ["127.0.0.1"] };
  const certificate = await t.server.authority.issue({ ...subject, use: "server" });
  await t.refused({ path: secret, certificate }, 401);
});

test("a valid token is accepted, so that the tests below test something", async () => {
  const token = await t.tokenOf("honest");
  expect((await t.attempt({ path: "/api", token })).status).toBe(200);
  await t.refused({ path: secret, token }, 403);
});

test("a token for another audience", async () => {
  const token = await t.tokenOf("vault", { audiences: ["https://vault.example"] });
  await t.refused({ path: "/api", token }, 401);
});

test("the token of an account that was deleted, and of one that was made again", async () => {
  const token = await t.tokenOf("brief");
  const path = "/api/v1/namespaces/default/serviceaccounts/brief";
  await t.admin("DELETE", path);
  await t.refused({ path: "/api", token }, 401);
  await t.tokenOf("brief");
  await t.refused({ path: "/api", token }, 401);
});

const namespaced = "/api/v1/namespaces/default";
/** The objects a token may depend on: where they are created, and how they are named in a request for a token. */
const dependencies = [
  { kind: "ServiceAccount", path: `${namespaced}/serviceaccounts`, content: {} },
  { kind: "Secret", path: `${namespaced}/secrets`, content: {} },
  { kind: "Node", path: "/api/v1/nodes", content: {} },
  {
    kind: "Pod",
    path: `${namespaced}/pods`,
    content: { spec: { serviceAccountName: "bound-pod", containers: [{ name: "c", image: "i" }] } },
  },
];
for (const { kind, path, content } of dependencies)
  test(`a token is revoked at once by the deletion of its ${kind}, also after another of its name is created`, async () => {
    const name = `bound-${kind.toLowerCase()}`;
    await t.tokenOf(name);
    const create = async (): Promise<string> => {
      const { json } = await t.admin("POST", path, { metadata: { name }, ...content });
      return json.metadata.uid as string;
    };
    const bind = (uid: string): object => ({ boundObjectRef: { kind, apiVersion: "v1", name, uid } });
    const token = await t.tokenOf(name, kind === "ServiceAccount" ? {} : bind(await create()));
    const reviewed = async (): Promise<unknown> => {
      const review = await t.admin("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token } });
      return review.json.status.authenticated ?? false;
    };
    // The second time its signature is not verified again.
    for (let i = 0; i < 2; i++) expect((await t.attempt({ path: "/api", token })).status).toBe(200);
    expect(await reviewed()).toBe(true);
    await t.admin("DELETE", `${path}/${name}`, { gracePeriodSeconds: 0 });
    await t.refused({ path: "/api", token }, 401);
    expect(await reviewed()).toBe(false);
    const successor = await create();
    await t.refused({ path: "/api", token }, 401);
    expect(await reviewed()).toBe(false);
    // No request sees the time between the deletion and the next creation.
    const next = await t.tokenOf(name, kind === "ServiceAccount" ? {} : bind(successor));
    for (let i = 0; i < 2; i++) expect((await t.attempt({ path: "/api", token: next })).status).toBe(200);
    await t.admin("DELETE", `${path}/${name}`, { gracePeriodSeconds: 0 });
    await create();
    await t.refused({ path: "/api", token: next }, 401);
  });

test("a token counts on the cached path until its expiry and the allowed clock skew, to the second", async () => {
  const clock = virtualClock();
  const world = { clock, random: seeded(1), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const registry = clusterRegistry(memoryStorage(), world, ranges);
  const issued = tokens(registry, { issuer: "https://issuer.test", key: await newSigningKey() });
  const client = inProcessClient(registry);
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
  const metadata = { name: "timed", namespace: "default" };
  const account = await client.create(serviceAccounts, { kind: "ServiceAccount", metadata });
  const token = issued.make(account, { audiences: ["https://issuer.test"], seconds: 600, bound: {} });
  for (const second of [0, 599, 660]) {
    await clock.run(instant(beginning + second * 1000));
    expect((await issued.ownerOf(token)).user.name).toBe("system:serviceaccount:default:timed");
  }
  await clock.run(instant(beginning + 661_000));
  await expect(issued.ownerOf(token)).rejects.toThrow("service account token has expired");
});

const decoded = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString());
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("forged tokens: changed claims, no algorithm, another one, another key's id, no signature", async () => {
  const [head = "", body = "", signature = ""] = (await t.tokenOf("forger")).split(".");
  const admin = encoded({ ...decoded(body), sub: "system:serviceaccount:kube-system:admin" });
  const publicKey = createPublicKey(new X509Certificate(t.server.ca).publicKey.export({ format: "pem", type: "spki" }))
    .export({ format: "pem", type: "spki" })
    .toString();
  const hs256 = encoded({ ...decoded(head), alg: "HS256" });
  const mac = createHmac("sha256", publicKey).update(`${hs256}.${body}`).digest("base64url");
  const tokens = [
    `${head}.${admin}.${signature}`,
    ...["none", "None", "NONE", ""].flatMap((alg) => [
      `${encoded({ alg })}.${body}.`,
      `${encoded({ alg })}.${body}.${signature}`,
    ]),
    `${encoded({ ...decoded(head), alg: "HS256" })}.${body}.${mac}`,
    `${encoded({ ...decoded(head), kid: "../../dev/null" })}.${body}.${signature}`,
    `${encoded({ ...decoded(head), jwk: { kty: "oct", k: "AA" } })}.${body}.${signature}`,
    `${encoded({ ...decoded(head), crit: ["exp"] })}.${body}.${signature}`,
    `${head}.${body}.`,
    `${head}.${body}.AAAA`,
    `${head}.${body}.${signature}.${signature}`,
    `${head}.${body}`,
    "..",
    ".",
    "null",
    encoded({}),
  ];
  for (const token of tokens) await t.refused({ path: "/api", token }, 401);
});

test("a long token, and a token of much nesting", async () => {
  await t.refused({ path: "/api", token: "a".repeat(500_000) }, 401);
  await t.refused({ path: "/api", token: `${"a.".repeat(100_000)}a` }, 401);
  const nested = Buffer.from("[".repeat(200_000)).toString("base64url");
  await t.refused({ path: "/api", token: `${nested}.${nested}.a` }, 401);
});

test("a bad token is not made good by another credential beside it in the same request", async () => {
  const token = await t.tokenOf("double");
  await t.refused({ path: "/api", headers: { authorization: `Basic ${token}` } }, 403);
  await t.refused({ path: "/api", token: `x ${token}` }, 401);
  await t.refused({ path: `/api?access_token=${token}` }, 403);
});

test("a review of a token is for those who may review, and tells no secret of a bad one", async () => {
  const token = await t.tokenOf("reviewer");
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
  await t.refused({ method: "POST", path: "/apis/authentication.k8s.io/v1/tokenreviews", token, body }, 403);
});
