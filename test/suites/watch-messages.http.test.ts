// Watches over WebSockets, as browsers use them.
import { once } from "node:events";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { configMaps } from "../../api/core/configmaps.ts";
import { key } from "../../api/meta.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
beforeAll(async () => {
  server = await listeningServer();
  await server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "first", namespace: "default" } });
});
afterAll(() => server.close());

const maps = "/api/v1/namespaces/default/configmaps";
const origin = "https://dashboard.example.com";
const open = (path: string, protocols: readonly string[] = [], headers: Record<string, string> = { origin }) =>
  new WebSocket(`${server.url.replace("https", "wss")}${path}`, [...protocols], {
    ...{ ca: server.ca, ...server.admin },
    headers,
  });

/** The first events of a socket; all messages must be text. */
async function eventsOf(socket: WebSocket, count: number): Promise<readonly any[]> {
  const received: any[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data, isBinary) => {
      expect([isBinary, String(data).endsWith("}\n")]).toEqual([false, true]);
      if (received.push(JSON.parse(String(data))) === count) resolve();
    });
  });
  return received;
}
const words = (events: readonly any[]) => events.map(({ type, object }) => `${type} ${object.metadata.name}`);

test.each([[[]], [["binary.k8s.io"]], [["base64.binary.k8s.io"]], [["anything"]]])(
  "every message is one event, with any protocols of the client: %j",
  async (protocols) => {
    const socket = open(`${maps}?watch=true&fieldSelector=metadata.name!=kube-root-ca.crt`, protocols);
    const [begun, received] = [eventsOf(socket, 1), eventsOf(socket, 3)];
    await begun;
    expect(socket.protocol).toBe(protocols[0] ?? "");
    const metadata = { name: "second", namespace: "default" };
    await server.inProcess.create(configMaps, { kind: "ConfigMap", metadata });
    await server.inProcess.delete(configMaps, key("default", "second"));
    expect(words(await received)).toEqual(["ADDED first", "ADDED second", "DELETED second"]);
    socket.close();
    await once(socket, "close");
  },
);

test("deprecated paths and single objects can be watched, and a watch ends after its timeout", async () => {
  for (const path of [`/api/v1/watch${maps.slice(7)}/first`, `${maps}?watch=1&fieldSelector=metadata.name=first`]) {
    const socket = open(`${path}${path.includes("?") ? "&" : "?"}timeoutSeconds=1`);
    expect(words(await eventsOf(socket, 1))).toEqual(["ADDED first"]);
    expect((await once(socket, "close"))[0]).toBe(1000);
  }
});

const refusals = [
  ["no origin", `${maps}?watch=1`, [], {}, 403],
  ["no page's origin", `${maps}?watch=1`, [], { origin: "null" }, 403],
  ["protocols to choose from", `${maps}?watch=1`, ["a", "b"], { origin }, 400],
  ["a kind that is not served", "/api/v1/toys?watch=1", [], { origin }, 404],
  ["invalid options", `${maps}?watch=1&resourceVersionMatch=Exact`, [], { origin }, 422],
] as const;
test.each(refusals)("%s: refused in plain HTTP", async (_, path, protocols, headers, code) => {
  const [error] = await once(open(path, protocols, headers), "error");
  expect((error as Error).message).toBe(`Unexpected server response: ${code}`);
});

test("a forbidden watch is refused", async () => {
  const socket = new WebSocket(`${server.url.replace("https", "wss")}${maps}?watch=1`, { ca: server.ca, origin });
  expect(String((await once(socket, "error"))[0])).toMatch(/403/);
});

test("an upgrade of another request is answered without an upgrade", async () => {
  for (const [upgrade, path] of [
    ["websocket", `${maps}/first`],
    ["h2c", `${maps}?watch=1&timeoutSeconds=1`],
  ] as const) {
    const socket = connect({
      port: Number(new URL(server.url).port),
      host: "127.0.0.1",
      ca: server.ca,
      ...server.admin,
    });
    await once(socket, "secureConnect");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
    let text = "";
    for await (const part of socket) text += part;
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n.*content-type: application\/json\r\n.*"name":"first"/s);
  }
});
