// Who may use the kubelet's port: certificates and tokens, and what roles allow on the node.
import { request as httpsRequest } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodes } from "../../api/core/nodes.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { type TokenRequest, tokenRequests } from "../../api/authentication/tokenrequests.ts";

import { type Draft, key } from "../../api/meta.ts";
import { newAuthority, type Pem } from "../../cli/cluster/pki.ts";
import { rightFor } from "../../kubelet/server/attributes.ts";
import { jsonClientOf, type SendJson } from "./json-client.ts";
import { until } from "./kubelet-stage.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { type SimulatedNode, simulatedNode } from "./simulated-node.ts";

let server: TestServer;
let node: SimulatedNode;
let admin: SendJson;
let port: number;
beforeAll(async () => {
  server = await listeningServer({ authorizationMode: "RBAC" });
  admin = jsonClientOf(server);
  node = await simulatedNode(server);
  const portOf = async (): Promise<number> => {
    const found = await server.inProcess.get(nodes, key(undefined, "n1")).catch(() => undefined);
    return found?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  };
  port = await until(portOf, (n) => n > 0);
});
afterAll(async () => {
  await node.close();
  await server.close();
});

interface Credentials {
  readonly pair?: Pem;
  readonly token?: string;
}
interface Answer {
  readonly status: number;
  readonly body: string;
}

function get(path: string, { pair, token }: Credentials, method = "GET", headers: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { host: "127.0.0.1", port, path, method, ca: server.ca, ...pair, agent: false };
    const call = httpsRequest({ ...options, headers: { ...bearer, ...headers } }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on("error", reject);
    call.end();
  });
}

const pairOf = (name: string, ...groups: readonly string[]): Promise<Pem> =>
  server.authority.issue({ name, groups, use: "client" });

/** Gives a user a right on nodes, and waits until the authorizer has seen it. */
async function grant(user: string, ...resources: readonly string[]): Promise<void> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const rules = [{ apiGroups: [""], resources, verbs: ["get"] }];
  await admin("POST", `${rbac}/clusterroles`, { metadata: { name: user }, rules });
  await admin("POST", `${rbac}/clusterrolebindings`, {
    metadata: { name: user },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: user },
    subjects: [{ kind: "User", name: user }],
  });
  const [resource, subresource] = resources[0]!.split("/");
  const spec = { user, resourceAttributes: { verb: "get", resource, subresource, name: "n1" } };
  const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  await expect.poll(async () => (await admin("POST", path, { spec })).json.status.allowed).toBe(true);
}

const unauthorized = { status: 401, body: "Unauthorized" };

test("without credentials, with another authority's certificate, or with a bad token, nobody gets in", async () => {
  const foreign = await newAuthority("foreign", Date.now() as never);
  const stranger = await foreign.issue({
    name: "kube-apiserver-kubelet-client",
    groups: ["system:masters"],
    use: "client",
  });
  const expired = await server.authority.issue({ name: "ann", groups: ["system:masters"], use: "client", days: -1 });
  for (const credentials of [{}, { pair: stranger }, { pair: expired }, { token: "nonsense" }, { token: "a.b.c" }])
    for (const path of ["/healthz", "/pods", "/metrics", "/exec/default/a/b?command=id", "/nothing"])
      expect(await get(path, credentials)).toEqual(unauthorized);
  expect(await get("/pods", { token: "x", pair: stranger })).toEqual(unauthorized);
});

test("a session is refused before it is upgraded", async () => {
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "x",
  };
  expect((await get("/exec/default/a/b?command=id", {}, "GET", upgrade)).status).toBe(401);
  await grant("watcher", "nodes/metrics");
  const refused = await get("/exec/default/a/b?command=id", { pair: await pairOf("watcher") }, "GET", upgrade);
  expect(refused.status).toBe(403);
  expect(refused.body).toBe("Forbidden (user=watcher, verb=get, resource=nodes, subresource(s)=[proxy])\n");
});

test("the administrator may do everything", async () => {
  const pair = await pairOf("root", "system:masters");
  expect(await get("/healthz", { pair })).toEqual({ status: 200, body: "ok" });
  expect((await get("/pods", { pair })).status).toBe(200);
  expect((await get("/containerLogs/default/none/none", { pair })).status).toBe(404);
});

for (const [resource, allowed, refused] of [
  ["nodes/metrics", ["/metrics", "/metrics/cadvisor", "/metrics/resource"], ["/pods", "/healthz", "/stats/summary"]],
  ["nodes/stats", ["/stats/summary"], ["/metrics", "/pods", "/logs/"]],
  ["nodes/log", ["/logs/"], ["/containerLogs/default/none/none", "/pods"]],
  ["nodes/pods", ["/pods", "/runningpods/"], ["/metrics", "/healthz", "/configz"]],
  ["nodes/healthz", ["/healthz"], ["/pods", "/configz"]],
  ["nodes/configz", ["/configz"], ["/pods", "/metrics"]],
  ["nodes/proxy", ["/pods", "/healthz", "/configz", "/runningpods/"], ["/metrics", "/stats/summary", "/logs/"]],
] as const)
  test(`a right on ${resource} opens its own paths and no others`, async () => {
    const user = `user-of-${resource.slice(6)}`;
    await grant(user, resource);
    const pair = await pairOf(user);
    for (const path of allowed) expect([path, (await get(path, { pair })).status]).toEqual([path, 200]);
    for (const path of refused) expect([path, (await get(path, { pair })).status]).toEqual([path, 403]);
    expect((await get(allowed[0], { pair }, "POST")).status).toBe(403);
    expect((await get(allowed[0], { pair }, "HEAD")).status).toBe(403);
  });

test("the token of a service account counts, as its roles allow, and not one for another audience", async () => {
  await server.inProcess.create(serviceAccounts, {
    kind: "ServiceAccount",
    metadata: { name: "scraper", namespace: "default" },
  });
  const tokenFor = async (...audiences: readonly string[]): Promise<string> => {
    const draft: Draft<TokenRequest> = {
      kind: "TokenRequest",
      metadata: { name: "scraper", namespace: "default" },
      spec: { audiences, expirationSeconds: 3600 },
    };
    return (await server.inProcess.create(tokenRequests, draft)).status!.token!;
  };
  const token = await tokenFor();
  expect((await get("/metrics", { token })).body).toBe(
    "Forbidden (user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource(s)=[metrics])\n",
  );
  expect(await get("/metrics", { token: await tokenFor("other") })).toEqual(unauthorized);
  await grant("system:serviceaccount:default:scraper", "nodes/stats");
  expect((await get("/stats/summary", { token })).status).toBe(200);
});

for (const [method, path, verb, subresources] of [
  ["GET", "/metrics", "get", ["metrics"]],
  ["GET", "/metrics/", "get", ["metrics"]],
  ["GET", "/metricsx", "get", ["proxy"]],
  ["GET", "/pods/x", "get", ["pods", "proxy"]],
  ["POST", "/exec/a/b/c", "create", ["proxy"]],
  ["PUT", "/attach/a/b/c", "update", ["proxy"]],
  ["DELETE", "/pods", "delete", ["pods", "proxy"]],
  ["OPTIONS", "/pods", "", ["pods", "proxy"]],
  ["GET", "/checkpoint/a/b/c", "get", ["checkpoint"]],
  ["GET", "/flagz", "get", ["configz"]],
  ["GET", "/", "get", ["proxy"]],
] as const)
  test(`rights on the node: ${method} ${path}`, () => expect(rightFor(method, path)).toEqual({ verb, subresources }));

test("a path is read once: by whatever spelling, no path opens another's handler", async () => {
  await grant("tricky", "nodes/metrics");
  const pair = await pairOf("tricky");
  for (const path of [
    "/metrics/../pods",
    "/metrics/%2e%2e/pods",
    "/metrics/..%2fpods",
    "//pods",
    "/%70ods",
    "/metrics%2f../exec/default/a/b",
    "/metrics/../../logs/",
    "/%6cogs/",
    "/METRICS/../pods",
  ])
    expect([path, (await get(path, { pair })).status]).toEqual([path, expect.toBeOneOf([403, 404])]);
  expect((await get("/%", { pair })).status).toBe(400);
});
