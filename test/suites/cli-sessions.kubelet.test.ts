// Sessions of the command line with a kubelet, through an API server: commands, attached processes, forwarded ports.
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiProxy } from "../../cli/client/api-proxy.ts";
import type { ApiAccess } from "../../cli/client/connection.ts";
import { connectToPod, forwardConnection, type PodConnection } from "../../cli/client/port-forward.ts";
import { runRemote } from "../../cli/client/remote-command.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { image, runs, type SimulatedNode, simulatedNode } from "./simulated-node.ts";

const never = new AbortController().signal;
let server: TestServer;
let node: SimulatedNode;
let access: ApiAccess;
const pod = (name: string, rest: string): string => `/api/v1/namespaces/default/pods/${name}/${rest}`;

beforeAll(async () => {
  server = await listeningServer();
  node = await simulatedNode(server);
  access = { server: server.url, ca: server.ca, ...server.admin };
  await node.create("web", [runs("c", "while :; do sleep 1; done")]);
  await node.create("cat", [{ name: "c", image, command: ["cat"], stdin: true }]);
  await Promise.all(["web", "cat"].map((name) => node.ready(name)));
});
afterAll(async () => {
  await node.close();
  await server.close();
});

/** A stream that keeps what is written to it, slowly. */
function kept() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      setImmediate(done);
    },
  });
  const text = async (): Promise<string> => {
    await new Promise((resolve) => stream.end(resolve));
    return Buffer.concat(chunks).toString();
  };
  return { stream, text };
}

async function session(path: string, input?: string) {
  const [stdout, stderr] = [kept(), kept()];
  const stdin = async function* (): AsyncIterable<Buffer> {
    yield Buffer.from(input!);
  };
  const streams = { stdout: stdout.stream, stderr: stderr.stream, stdin: input === undefined ? undefined : stdin() };
  const code = await runRemote(access, { path, ...streams }, never);
  return { code, out: await stdout.text(), err: await stderr.text() };
}

describe("commands", () => {
  const exec = (script: string): string =>
    pod(
      "web",
      `exec?stdin=true&stdout=true&stderr=true&${new URLSearchParams([
        ["command", "sh"],
        ["command", "-c"],
        ["command", script],
      ])}`,
    );
  test("output, errors and the exit code", async () =>
    expect(await session(exec("echo fine; echo wrong >&2; exit 7"))).toEqual({
      code: 7,
      out: "fine\n",
      err: "wrong\n",
    }));
  test("megabytes of input come back through a slow reader", async () => {
    const text = "y".repeat(5_000_000);
    const { out } = await session(pod("web", "exec?stdin=true&stdout=true&command=cat"), text);
    expect(out.length).toBe(text.length);
  });
  test("a container that does not exist", async () =>
    await expect(session(pod("web", "exec?container=x&stdout=true&command=ls"))).rejects.toThrow(/container x/));
  test("a session ends with its signal", async () => {
    const [stop, { stream }] = [new AbortController(), kept()];
    const path = exec("echo on; sleep 1000");
    const running = runRemote(access, { path, stdin: undefined, stdout: stream, stderr: stream }, stop.signal);
    stop.abort(new Error("interrupted"));
    await expect(running).rejects.toThrow("interrupted");
  });
});

test("attaching to a process that reads on ends with the input", async () => {
  expect(await session(pod("cat", "attach?stdin=true&stdout=true"), "hello")).toMatchObject({ code: 0 });
});

let requestId = 0;

/** What comes back through a forwarded connection for a text, after which this side ends. */
async function echoed(
  connection: PodConnection,
  remote: number,
  text: string,
): Promise<readonly [string, string | undefined]> {
  const forwarded = Promise.withResolvers<string | undefined>();
  const accept = (socket: Socket): void =>
    void forwardConnection(connection, socket, { remote, requestId: requestId++ }).then(
      forwarded.resolve,
      forwarded.reject,
    );
  const listener = createServer({ allowHalfOpen: true }, accept).listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.end(text);
  let back = "";
  for await (const chunk of socket) back += String(chunk);
  listener.close();
  return [back, await forwarded.promise];
}

/** A proxy that refuses WebSockets, as servers before version 1.30 do for forwarded ports. */
async function gatewayWithoutWebSockets() {
  const proxy = apiProxy(access, false);
  const gateway = createHttpServer();
  gateway.on("upgrade", (request, socket, head) => {
    if (request.headers.upgrade === "websocket") socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    else proxy.passUpgrade(request, socket, head, request.url!);
  });
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  const { port } = gateway.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => gateway.close() };
}

describe.each(["through a WebSocket", "with SPDY alone"])("a forwarded port %s", (way) => {
  let connection: PodConnection;
  let gateway: Awaited<ReturnType<typeof gatewayWithoutWebSockets>> | undefined;
  beforeAll(async () => {
    gateway = way.includes("alone") ? await gatewayWithoutWebSockets() : undefined;
    const reached = gateway ? { server: gateway.url } : access;
    connection = await connectToPod(reached, pod("web", "portforward"));
  });
  afterAll(() => {
    connection.close();
    gateway?.close();
  });
  test("carries bytes both ways, many at once", async () => {
    const texts = ["one", "two", "x".repeat(1_000_000)];
    const all = await Promise.all(texts.map((text) => echoed(connection, 7, text)));
    expect(all.map(([back]) => back.length)).toEqual(texts.map((text) => text.length));
  });
  test("reports a refused connection, and goes on", async () => {
    const [back, error] = await echoed(connection, 9, "hello");
    expect([back, error]).toEqual([
      "",
      expect.stringMatching(/^error forwarding port 9 to pod web, uid .*ECONNREFUSED/),
    ]);
    expect(await echoed(connection, 7, "again")).toEqual(["again", undefined]);
  });
});
