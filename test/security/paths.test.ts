// Paths written in unusual ways: none reaches an object that its plain path does not reach.
import { afterAll, beforeAll, expect, test } from "vitest";
import { grant, type Target, target } from "./attacker.ts";

let t: Target;
let token: string;
beforeAll(async () => {
  t = await target();
  token = await t.tokenOf("walker");
  // May read pods anywhere, and any path that is no resource's.
  await grant(
    t,
    "system:serviceaccount:default:walker",
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
    { nonResourceURLs: ["*"], verbs: ["*"] },
  );
});
afterAll(() => t.close());

const secrets = "/api/v1/namespaces/kube-system/secrets";
const crown = `${secrets}/crown`;
const spellings = [
  crown,
  `/${crown}`,
  `//api/v1/namespaces/kube-system//secrets/crown`,
  `/api//v1/namespaces/kube-system/secrets/crown`,
  `/api/v1//namespaces/kube-system/secrets/crown`,
  `/api/v1/namespaces//kube-system/secrets/crown`,
  `/api/v1/namespaces/kube-system/secrets//crown`,
  `${crown}/`,
  `${crown}//`,
  `/./api/v1/namespaces/kube-system/secrets/crown`,
  `/api/v1/./namespaces/kube-system/secrets/crown`,
  `/api/v1/namespaces/kube-system/pods/../secrets/crown`,
  `/api/v1/namespaces/default/pods/../../kube-system/secrets/crown`,
  `/api/v1/pods/../namespaces/kube-system/secrets/crown`,
  `/healthz/../api/v1/namespaces/kube-system/secrets/crown`,
  `/version/..${crown}`,
  `/openapi/v3/..%2F..${crown}`,
  `/api/v1/namespaces/kube-system/pods/..%2Fsecrets%2Fcrown`,
  `/api/v1/namespaces/kube-system/pods/%2e%2e/secrets/crown`,
  `/api/v1/namespaces/kube-system/pods%2F..%2Fsecrets/crown`,
  `/api/v1/namespaces/kube-system%2Fsecrets/crown`,
  `/api/v1/namespaces/kube-system%2Fsecrets%2Fcrown`,
  `/api%2Fv1%2Fnamespaces%2Fkube-system%2Fsecrets%2Fcrown`,
  `/%61pi/v1/namespaces/kube-system/secrets/crown`,
  `/api/v1/namespaces/kube-system/%73ecrets/crown`,
  `/api/v1/namespaces/kube-system/secrets%2Fcrown`,
  `/api/v1/namespaces/kube-system/secrets/crown%00`,
  `/api/v1/namespaces/kube-system/secrets%00/crown`,
  `/api/v1/namespaces/kube-system/secrets/crown%2F`,
  `/api/v1/namespaces/kube-system/secrets;pods/crown`,
  `/api/v1/namespaces/kube-system/Secrets/crown`,
  `/api/v1/namespaces/kube-system/secrets/crown?path=/healthz`,
  `/API/v1/namespaces/kube-system/secrets/crown`,
  `/api/v1/watch/namespaces/kube-system/secrets/crown`,
  `/api/v1/watch/secrets`,
  `/api/v1/secrets`,
  `/api/v1/secrets?watch=1&timeoutSeconds=1`,
  `/api/v1/secrets?fieldSelector=metadata.name%3Dcrown`,
  `/api/v1/pods/watch/secrets`,
  `/explain${crown}`,
  `/explain/api/v1/namespaces/kube-system/pods/..%2Fsecrets%2Fcrown`,
  `/explain/explain${crown}`,
  `/history${crown}?secrets=true&objects=true`,
  `/history/api/v1/secrets?objects=true`,
  `/history/api/v1/secrets?fieldSelector=metadata.name%3Dcrown&objects=true`,
  `/history/api/v1/namespaces/kube-system/pods/..%2Fsecrets%2Fcrown?objects=true`,
  `/history/history${crown}`,
  `/history/explain${crown}`,
  `/api/v1/secrets?resourceVersion=1&resourceVersionMatch=Exact`,
  `/api/v1/namespaces/kube-system/secrets/crown/status`,
  `/apis//v1/namespaces/kube-system/secrets/crown`,
  `/apis/v1/namespaces/kube-system/secrets/crown`,
  `/apis/core/v1/namespaces/kube-system/secrets/crown`,
  `${crown}#/healthz`,
  `https://127.0.0.1${crown}`,
  `http://example.com${crown}`,
];

test.each(spellings)("GET %s", async (path) => {
  const outcome = await t.attempt({ path, token });
  expect([301, 307, 308, 400, 401, 403, 404], outcome.text.slice(0, 500)).toContain(outcome.status);
  expect(outcome.text).not.toContain("dHJlYXN1cmU=");
});

const proxies = [
  "/api/v1/nodes/n1/proxy/pods",
  "/api/v1/nodes/n1%2Fproxy/pods",
  "/api/v1/nodes/n1/proxy%2Fpods",
  "/api/v1/namespaces/default%2Fpods%2Fx/pods/victim/proxy/",
  "/api/v1/namespaces/default/pods/victim/proxy",
  "/api/v1/namespaces/default/pods/victim%2Fproxy",
  "/api/v1/namespaces/default/services/victim/proxy/",
  "/api/v1/namespaces/default/pods/a/../victim/proxy/",
  "/api/v1/proxy/nodes/n1/pods",
  "/api/v1/namespaces/default/pods/victim/exec?command=id&stdout=1",
  "/api/v1/namespaces/default/pods/victim%2Fexec?command=id&stdout=1",
  "/api/v1/namespaces/default/pods/victim/attach",
  "/api/v1/namespaces/default/pods/victim/portforward",
  "/api/v1/namespaces/default/pods/victim/log",
];
const upgrades = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  "sec-websocket-protocol": "v5.channel.k8s.io",
};
test.each(proxies.flatMap((path) => [path, `upgrade ${path}`]))("no session: %s", async (name) => {
  const path = name.replace("upgrade ", "");
  const outcome = await t.attempt({ path, token, ...(name !== path && { headers: upgrades }) });
  expect([400, 401, 403, 404], outcome.text.slice(0, 500)).toContain(outcome.status);
});

test("a right to list names no objects: a list is refused with a name, and a get with a label", async () => {
  const lister = await t.tokenOf("lister");
  const only = { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["own"] };
  await grant(t, "system:serviceaccount:default:lister", only);
  for (const path of [
    secrets,
    `${secrets}/`,
    `${secrets}?name=own`,
    `${secrets}?labelSelector=name%3Down`,
    `${secrets}?watch=1`,
    `${secrets}/own/..`,
    `${secrets}/own/../crown`,
    `${secrets}/own%2F..%2Fcrown`,
    `${secrets}/own?watch=1`,
  ]) {
    const outcome = await t.attempt({ path, token: lister });
    expect([301, 400, 403, 404], `${path} ${outcome.text.slice(0, 300)}`).toContain(outcome.status);
    expect(outcome.text).not.toContain("dHJlYXN1cmU=");
  }
});

test("methods: no verb is granted by a method that is unknown or overridden", async () => {
  for (const method of ["TRACE", "CONNECT", "PROPFIND", "get", "OPTIONS", "HEAD"]) {
    const outcome = await t.attempt({ method, path: crown, token });
    // A tunnel is refused by closing the connection.
    const allowed = method === "CONNECT" ? [0] : [400, 403, 404, 405, 501];
    expect(allowed, `${method} ${outcome.text.slice(0, 200)}`).toContain(outcome.status);
  }
  for (const header of ["x-http-method-override", "x-http-method", "x-method-override"])
    await t.refused({ method: "GET", path: crown, token, headers: { [header]: "POST" } }, 403);
  for (const header of ["x-original-url", "x-rewrite-url", "x-forwarded-path"])
    await t.refused({ path: crown, token, headers: { [header]: "/healthz" } }, 403);
});

test("headers do not identify a user", async () => {
  const headers = {
    "x-remote-user": "kubernetes-admin",
    "x-remote-group": "system:masters",
    "x-forwarded-user": "kubernetes-admin",
    "x-client-cert": "any",
    "x-forwarded-for": "127.0.0.1",
  };
  await t.refused({ path: crown, headers }, 403);
  await t.refused({ path: crown, token, headers }, 403);
});
