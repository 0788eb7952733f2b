// Sessions and forwarded ports over every WebSocket protocol, as bytes.
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { listeningServer, type TestServer } from "./listening.ts";
import { image, runs, type SimulatedNode, simulatedNode } from "./simulated-node.ts";

let server: TestServer;
let node: SimulatedNode;
beforeAll(async () => {
  server = await listeningServer();
  node = await simulatedNode(server);
  await node.create("web", [runs("c", "echo hello; while :; do sleep 1; done")]);
  await node.create("gone", [runs("c", "exit 0")]);
  await node.create("reader", [{ name: "c", image, command: ["cat"], stdin: true, stdinOnce: true }]);
  await Promise.all(["web", "reader"].map((name) => node.ready(name)));
  await node.until("gone", (pod) => pod.status?.phase === "Succeeded");
});
afterAll(async () => {
  await node.close();
  await server.close();
});

const open = (path: string, ...protocols: readonly string[]): WebSocket =>
  new WebSocket(`${server.url.replace("https", "wss")}/api/v1/namespaces/default/pods/${path}`, [...protocols], {
    ca: server.ca,
    ...server.admin,
  });

/** The text of each channel until the end. `onOpen` is called when the socket is open. */
async function exchange(
  socket: WebSocket,
  onOpen: (socket: WebSocket) => void = () => {},
): Promise<Record<number, string>> {
  const received: Record<number, string> = {};
  const [opened, closed] = [once(socket, "open"), once(socket, "close")];
  closed.catch(() => {});
  socket.on("message", (data: Buffer, isBinary) => {
    const base64 = socket.protocol.includes("base64");
    expect(isBinary).toBe(!base64);
    const [channel, rest] = base64
      ? [Number(String(data)[0]), Buffer.from(String(data).slice(1), "base64")]
      : [data[0]!, data.subarray(1)];
    received[channel] = (received[channel] ?? "") + rest.toString("latin1");
  });
  await opened;
  onOpen(socket);
  await closed;
  return received;
}
const success = '{"metadata":{},"status":"Success"}';

describe("a command", () => {
  test("in version 5 has the end of input", async () => {
    const socket = open("web/exec?stdin=true&stdout=true&command=cat", "v5.channel.k8s.io");
    const received = await exchange(socket, (s) => {
      s.send(Buffer.from("\0in and out"));
      s.send(Buffer.from([255, 0]));
    });
    expect(received).toEqual({ 1: "in and out", 3: success });
  });
  test("in a text protocol is base64", async () => {
    const socket = open("web/exec?stdin=true&stdout=true&command=stty&tty=true", "v4.base64.channel.k8s.io");
    const size = Buffer.from('{"Width":80,"Height":24}').toString("base64");
    expect(await exchange(socket, (s) => s.send(`4${size}`))).toEqual({ 1: "24 80\n", 3: success });
  });
  test("has an exit status in the form of its version", async () => {
    const failing = "web/exec?stdout=1&stderr=1&command=sh&command=-c&command=echo%20no%20%3E%262;exit%203";
    const status = JSON.parse((await exchange(open(failing, "v4.channel.k8s.io")))[3]!);
    expect(status).toMatchObject({
      status: "Failure",
      reason: "NonZeroExitCode",
      details: { causes: [{ message: "3" }] },
    });
    const plain = await exchange(open(failing));
    expect(plain).toEqual({
      1: "",
      2: "no\n",
      3: "command terminated with non-zero exit code: command terminated with exit code 3",
    });
  });
  test("that cannot run fails in the session in version 5, and as an HTTP status before", async () => {
    const received = await exchange(open("gone/exec?stdout=1&command=ls", "v5.channel.k8s.io"));
    expect(JSON.parse(received[3]!)).toMatchObject({
      code: 500,
      reason: "InternalError",
      message: 'Internal error occurred: unable to upgrade connection: container not found ("c")',
    });
    await expect(exchange(open("gone/exec?stdout=1&command=ls", "v4.channel.k8s.io"))).rejects.toThrow(/500/);
    await expect(exchange(open("web/exec?command=ls", "v4.channel.k8s.io"))).rejects.toThrow(/400/);
    await expect(exchange(open("web/exec?stdout=1", "v4.channel.k8s.io"))).rejects.toThrow(/400/);
    await expect(exchange(open("nobody/exec?stdout=1&command=ls", "v5.channel.k8s.io"))).rejects.toThrow(/404/);
  });
  test("can be as long as in Kubernetes", async () => {
    const script = encodeURIComponent(`: ${"x".repeat(60_000)}; echo done`);
    const output = await exchange(
      open(`web/exec?stdout=1&command=sh&command=-c&command=${script}`, "v5.channel.k8s.io"),
    );
    expect(output).toEqual({ 1: "done\n", 3: success });
  });
  test("of a disconnected client has the end of input", async () => {
    const socket = open("reader/attach?stdin=true&stdout=true", "v5.channel.k8s.io");
    await once(socket, "message");
    socket.terminate();
    await node.until("reader", (pod) => pod.status?.phase === "Succeeded");
  });
});

describe("forwarded ports", () => {
  test("have two channels each, which begin with the port", async () => {
    const socket = open("web/portforward?ports=7&ports=9", "v4.channel.k8s.io");
    const received: Record<number, string> = {};
    const echoed = new Promise<void>((resolve) => {
      socket.on("message", (data: Buffer) => {
        received[data[0]!] = (received[data[0]!] ?? "") + data.subarray(1).toString("latin1");
        if (received[0]?.endsWith("over") && received[3]?.includes("REFUSED")) resolve();
      });
    });
    await once(socket, "open");
    socket.send(Buffer.from("\0over"));
    await echoed;
    expect(received).toMatchObject({ 0: "\x07\0over", 1: "\x07\0", 2: "\x09\0", 3: expect.stringMatching(/^\t/) });
    expect(received[3]).toMatch(/error forwarding port 9 to pod web, uid .*: connect ECONNREFUSED/);
    socket.close();
    await once(socket, "close");
  });
  test("are required", async () =>
    expect(exchange(open("web/portforward", "v4.channel.k8s.io"))).rejects.toThrow(/400/));
});
