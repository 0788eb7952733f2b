// Admission of the operation CONNECT: sessions and proxies pass the admission chain once.
import { once } from "node:events";
import { request } from "node:https";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ApiError } from "../../api/errors.ts";
import type { AdmissionPlugin } from "../../apiserver/registry/admission.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const admitted: unknown[] = [];
const sessionPolicy: AdmissionPlugin = {
  name: "SessionPolicy",
  operations: ["CONNECT"],
  handles: () => true,
  validate(connection, { r, operation, subresource, namespace, name, old, options }) {
    const { user, dryRun } = options;
    admitted.push([operation, `${r.plural}/${subresource}`, namespace, name, user?.groups[0], dryRun, old, connection]);
    if (r.plural === "pods" && subresource === "exec")
      throw new ApiError("Forbidden", `pods "${name}" is forbidden: no shells here`);
  },
};

let server: TestServer;
beforeAll(async () => {
  server = await listeningServer({ admission: { plugins: [sessionPolicy] } });
});
beforeEach(() => void admitted.splice(0));
afterAll(() => server.close());

const identity = () => ({ ca: server.ca, ...server.admin });
async function send(path: string, method = "GET"): Promise<{ status: number; body: string }> {
  const sent = request(`${server.url}${path}`, { ...identity(), method }).end();
  const [response] = await once(sent, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body };
}
/** The status and the body of the response that refuses an upgrade. */
async function upgrade(path: string): Promise<{ status: number; body: string }> {
  const socket = new WebSocket(`${server.url.replace("https", "wss")}${path}`, ["v5.channel.k8s.io"], identity());
  const [, response] = await once(socket, "unexpected-response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body };
}

const pod = "/api/v1/namespaces/default/pods/web";
for (const [how, connect] of [
  ["with an upgrade", upgrade],
  ["without one", send],
] as const)
  test(`a shell ${how} is refused by a plugin with its Status`, async () => {
    const { status, body } = await connect(`${pod}/exec?command=ls&command=-l&stdin=1&tty=false&container=c`);
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({
      reason: "Forbidden",
      message: 'pods "web" is forbidden: no shells here',
    });
    const options = { kind: "PodExecOptions", apiVersion: "v1", command: ["ls", "-l"], container: "c", stdin: true };
    expect(admitted).toEqual([["CONNECT", "pods/exec", "default", "web", "system:masters", false, undefined, options]]);
  });

const connections = [
  [send, `${pod}/attach?stdout=true`, "pods/attach", "web", { kind: "PodAttachOptions", stdout: true }],
  [
    upgrade,
    `${pod}/portforward?ports=80&ports=81`,
    "pods/portforward",
    "web",
    { kind: "PodPortForwardOptions", ports: [80, 81] },
  ],
  [send, `${pod}/proxy`, "pods/proxy", "web", { kind: "PodProxyOptions" }],
  [upgrade, `${pod}:80/proxy/a/b?c=d`, "pods/proxy", "web:80", { kind: "PodProxyOptions", path: "/a/b" }],
  [
    send,
    "/api/v1/namespaces/default/services/https:s:x/proxy/a/",
    "services/proxy",
    "https:s:x",
    { kind: "ServiceProxyOptions", path: "/a/" },
  ],
  [send, "/api/v1/nodes/n/proxy/metrics", "nodes/proxy", "n", { kind: "NodeProxyOptions", path: "/metrics" }],
] as const;
for (const [connect, path, resource, name, options] of connections)
  test(`${path} is admitted once, before its target is resolved`, async () => {
    expect((await connect(path)).status).toBe(404);
    const namespace = resource.startsWith("nodes") ? undefined : "default";
    expect(admitted).toEqual([
      ["CONNECT", resource, namespace, name, "system:masters", false, undefined, { apiVersion: "v1", ...options }],
    ]);
  });

test("a log is a read, and is not admitted", async () => {
  expect((await send(`${pod}/log`)).status).toBe(404);
  expect(admitted).toEqual([]);
});
