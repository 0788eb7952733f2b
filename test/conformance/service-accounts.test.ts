// Service accounts and the tokens of accounts and pods.
import { request } from "node:https";
import { AuthenticationV1Api, CoreV1Api } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, whileControlled } from "./running-controllers.ts";
import { historyOf, patched } from "./requests.ts";

behaviour(
  "ServiceAccounts should run through the lifecycle of a ServiceAccount",
  async ({ send, client, namespace }) => {
    const core = client(CoreV1Api);
    const name = "testserviceaccount";
    const labelSelector = "test-serviceaccount-static=true";
    const root = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const made = await core.createNamespacedServiceAccount({
      namespace,
      body: { metadata: { name, labels: { "test-serviceaccount-static": "true" } } },
    });
    await patched(send, `${root}/${name}`, { automountServiceAccountToken: false }, "strategic");
    const found = await core.listServiceAccountForAllNamespaces({ labelSelector });
    const mine = found.items.filter((a) => a.metadata?.namespace === namespace);
    expect(mine.map((a) => a.automountServiceAccountToken)).toEqual([false]);
    await core.deleteCollectionNamespacedServiceAccount({ namespace, labelSelector });
    expect((await core.listNamespacedServiceAccount({ namespace, labelSelector })).items).toEqual([]);
    const events = await historyOf(send, `${root}?labelSelector=${labelSelector}`, made.metadata!.resourceVersion!);
    expect(events.map((e) => e.type)).toEqual(["MODIFIED", "DELETED"]);
  },
);

behaviour("ServiceAccounts should update a ServiceAccount", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "e2e-sa";
  const body = await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
  body.automountServiceAccountToken = false;
  const updated = await core.replaceNamespacedServiceAccount({ namespace, name, body });
  expect(updated.automountServiceAccountToken).toBe(false);
});

behaviour(
  "ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview",
  async ({ client, namespace }) => {
    const core = client(CoreV1Api);
    const name = "e2e-sa";
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
    const body = { spec: { audiences: [], expirationSeconds: 3600 } };
    const { status } = await core.createNamespacedServiceAccountToken({ name, namespace, body });
    const { token = "", expirationTimestamp: until } = status ?? {};
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(until!.getTime() - Date.now()).toBeGreaterThan(3500_000);
    const review = await client(AuthenticationV1Api).createTokenReview({ body: { spec: { token } } });
    expect(review.status).toMatchObject({
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:${name}`,
        groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      },
    });
    expect(review.status?.error).toBeUndefined();
  },
);

behaviour("ServiceAccounts should allow opting out of API token automount", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const automount: Readonly<Record<string, boolean | undefined>> = { default: undefined, mount: true, nomount: false };
  for (const [name, automountServiceAccountToken] of Object.entries(automount))
    if (name !== "default")
      await core.createNamespacedServiceAccount({
        namespace,
        body: { metadata: { name }, automountServiceAccountToken },
      });
  const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
  for (const [serviceAccountName, ofAccount] of Object.entries(automount))
    for (const [word, ofPod] of Object.entries({ defaultspec: undefined, mountspec: true, nomountspec: false })) {
      const name = `pod-service-account-${serviceAccountName}-${word}`;
      const containers = [{ name: "token-test", image: "pause:1" }];
      const spec = { serviceAccountName, automountServiceAccountToken: ofPod, containers };
      const made = await core.createNamespacedPod({ namespace, body: { metadata: { name }, spec } });
      const mounts = made.spec!.containers[0]!.volumeMounts ?? [];
      const isMounted = mounts.some((m) => m.mountPath === mountPath);
      expect([name, isMounted]).toEqual([name, ofPod ?? ofAccount ?? true]);
    }
});

behaviour("ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace", async (context) => {
  const { client, namespace, server } = context;
  const core = client(CoreV1Api);
  const at = { namespace, name: "kube-root-ca.crt" };
  const published = () =>
    vi.waitFor(async () => {
      const found = await core.readNamespacedConfigMap(at);
      expect(found.data).toEqual({ "ca.crt": server.ca });
      return found;
    }, waitOptions);
  await whileControlled(context, async () => {
    const first = await published();
    await core.deleteNamespacedConfigMap(at);
    const second = await published();
    expect(second.metadata!.uid).not.toBe(first.metadata!.uid);
    await core.replaceNamespacedConfigMap({ ...at, body: { ...second, data: { "ca.crt": "another authority" } } });
    await published();
  });
});

/** A request of a pod, authenticated by its token. */
const asPod = ({ server }: ScenarioContext, path: string, token: string): Promise<any> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const outgoing = request(`${server.url}${path}`, { ca: server.ca, headers }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      if (response.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(text));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });

behaviour(
  "ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer",
  async (context) => {
    const { client, namespace } = context;
    const core = client(CoreV1Api);
    const body = { spec: { audiences: ["oidc-discovery-test"], expirationSeconds: 3600 } };
    const { status } = await core.createNamespacedServiceAccountToken({ name: "default", namespace, body });
    const [head = "", claims = "", signature = ""] = status!.token!.split(".");
    const payload = JSON.parse(Buffer.from(claims, "base64url").toString());
    // With its token a pod can read the issuer and the keys that verify tokens.
    const podToken = await core.createNamespacedServiceAccountToken({
      name: "default",
      namespace,
      body: { spec: { audiences: [], expirationSeconds: 3600 } },
    });
    const found = await asPod(context, "/.well-known/openid-configuration", podToken.status!.token!);
    expect([payload.iss, payload.aud, payload.sub]).toEqual([
      found.issuer,
      ["oidc-discovery-test"],
      `system:serviceaccount:${namespace}:default`,
    ]);
    const { keys } = await asPod(context, new URL(found.jwks_uri).pathname, podToken.status!.token!);
    const { kid, alg } = JSON.parse(Buffer.from(head, "base64url").toString());
    expect(found.id_token_signing_alg_values_supported).toContain(alg);
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const signer = keys.find((key: { readonly kid: string }) => key.kid === kid);
    const key = await crypto.subtle.importKey("jwk", signer, algorithm, false, ["verify"]);
    const verified = (text: string): Promise<boolean> =>
      crypto.subtle.verify(algorithm, key, Buffer.from(signature, "base64url"), Buffer.from(text));
    expect([await verified(`${head}.${claims}`), await verified(`${head}.${claims}x`)]).toEqual([true, false]);
  },
);
