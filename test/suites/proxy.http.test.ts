// Proxies over HTTP, beyond the conformance tests: large bodies, errors, WebSockets.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Pod, pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const address = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find((a) => a.family === "IPv4" && !a.internal)!.address;
let server: TestServer;
let porter: Server;
let port: number;

/** A backend that counts body bytes, returns the request headers, and redirects. */
function handle(request: IncomingMessage, response: import("node:http").ServerResponse): void {
  if (request.url === "/elsewhere") return void response.writeHead(302, { location: "/here?x=1" }).end();
  if (request.url === "/teapot") return void response.writeHead(418, { "x-pot": "tea" }).end("short");
  if (request.url === "/headers") return void response.end(JSON.stringify(request.headers));
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
  });
  request.on("end", () => response.end(String(size)));
}

async function podAt(name: string, ip: string): Promise<void> {
  const spec = { containers: [{ name: "c", image: "i", ports: [{ containerPort: port }] }] };
  const pod = await server.inProcess.create(pods, { kind: "Pod", metadata: { name, namespace: "default" }, spec });
  const status = { ...pod.status, phase: "Running", podIP: ip, podIPs: [{ ip }] };
  await server.inProcess.update(pods, { ...pod, status } as Pod, "status");
}

beforeAll(async () => {
  server = await listeningServer();
  porter = createServer(handle).listen(0, address);
  await once(porter, "listening");
  port = (porter.address() as AddressInfo).port;
  const echo = new WebSocketServer({ server: porter, path: "/echo" });
  echo.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  await podAt("web", address);
  await podAt("self", "127.0.0.1");
  await server.inProcess.create(services, {
    kind: "Service",
    metadata: { name: "lonely", namespace: "default" },
    spec: { ports: [{ port: 80 }] },
  });
});
afterAll(async () => {
  porter.closeAllConnections();
  porter.close();
  await server.close();
});

const identity = () => ({ ca: server.ca, cert: server.admin.cert, key: server.admin.key });
interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}
function send(path: string, method = "GET", body: Iterable<Buffer> = [], headers = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${server.url}${path}`, { ...identity(), method, headers }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode!, headers: response.headers, text });
    });
    outgoing.on("error", reject);
    const pieces = body[Symbol.iterator]();
    const more = (): void => {
      for (let next = pieces.next(); !next.done; next = pieces.next())
        if (!outgoing.write(next.value)) return void outgoing.once("drain", more);
      outgoing.end();
    };
    more();
  });
}
const web = "/api/v1/namespaces/default/pods/web/proxy";

describe("a proxy to a pod", () => {
  test("forwards bodies larger than the limit of objects", async () => {
    const piece = Buffer.alloc(1024 * 1024);
    const body = Array.from({ length: 32 }, () => piece);
    expect((await send(`${web}/`, "POST", body, { "content-type": "application/octet-stream" })).text).toBe("33554432");
    expect((await send(`${web}/`, "PUT", [Buffer.from("no type")])).text).toBe("7");
    expect((await send(`${web}/`, "DELETE", [Buffer.from("gone")], { "transfer-encoding": "chunked" })).text).toBe("4");
  });
  test("removes credentials and adds forwarding headers", async () => {
    const { text } = await send(`${web}/headers`, "GET", [], { authorization: "Bearer x", "x-mine": "1" });
    const headers = JSON.parse(text);
    expect(headers).toMatchObject({
      "x-mine": "1",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-uri": `${web}/headers`,
    });
    expect(headers.authorization).toBeUndefined();
  });
  test("forwards responses and rewrites redirects", async () => {
    expect(await send(`${web}/teapot`)).toMatchObject({ status: 418, text: "short", headers: { "x-pot": "tea" } });
    const { status, headers } = await send(`${web}/elsewhere`);
    expect([status, headers.location]).toEqual([302, `${web}/here?x=1`]);
  });
  test("forwards WebSockets", async () => {
    const socket = new WebSocket(`${server.url.replace("https", "wss")}${web}/echo`, identity());
    await once(socket, "open");
    socket.send("over");
    const [data] = await once(socket, "message");
    expect(String(data)).toBe("over");
    socket.close();
    await once(socket, "close");
  });
});

const refusals = [
  ["pods/self/proxy/", 400, "BadRequest", /^address not allowed$/],
  ["pods/nobody/proxy/", 404, "NotFound", /pods "nobody" not found/],
  [
    "pods/web:1/proxy/",
    503,
    "ServiceUnavailable",
    /^error trying to reach service: dial tcp .*:1: connect: connection refused$/,
  ],
  ["pods/web:http/proxy/", 503, "ServiceUnavailable", /lookup tcp\/http: unknown port/],
  ["pods/ftp:web:1/proxy/", 400, "BadRequest", /^invalid pod request "ftp:web:1"$/],
  ["pods/web/proxy/?dryRun=All", 400, "BadRequest", /^dryRun is not supported$/],
  ["services/lonely/proxy/", 503, "ServiceUnavailable", /^no endpoints available for service "lonely"$/],
  ["services/lonely:81/proxy/", 503, "ServiceUnavailable", /^no service port 81 found for service "lonely"$/],
  ["services/nobody/proxy/", 404, "NotFound", /services "nobody" not found/],
  ["pods/web/exec?command=ls&stdout=1", 400, "BadRequest", /^pod web does not have a host assigned$/],
  ["pods/web/attach?container=x", 400, "BadRequest", /^container x is not valid for pod web$/],
] as const;
test.each(refusals)("%s is refused with %i", async (path, status, reason, message) => {
  const { text, ...reply } = await send(`/api/v1/namespaces/default/${path}`);
  expect([reply.status, JSON.parse(text)]).toEqual([
    status,
    expect.objectContaining({ kind: "Status", code: status, reason, message: expect.stringMatching(message) }),
  ]);
});

test("an unknown node has no proxy", async () => {
  expect(JSON.parse((await send("/api/v1/nodes/nowhere/proxy/pods")).text)).toMatchObject({ reason: "NotFound" });
});
