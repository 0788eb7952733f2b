// Sessions and forwarded ports over every WebSocket protocol, as the bytes on the wire.
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

/** What is said on each channel until the end; `say` speaks once there is somebody to hear it. */
async function talk(socket: WebSocket, say: (socket: WebSocket) => void = () => {}): Promise<Record<number, string>> {
  const said: Record<number, string> = {};
  const [opened, closed] = [once(socket, "open"), once(socket, "close")];
  closed.catch(() => {});
  socket.on("message", (data: Buffer, isBinary) => {
    const base64 = socket.protocol.includes("base64");
    expect(isBinary).toBe(!base64);
    const [channel, rest] = base64
      ? [Number(String(data)[0]), Buffer.from(String(data).slice(1), "base64")]
      : [data[0]!, data.subarray(1)];
    said[channel] = (said[channel] ?? "") + rest.toString("latin1");
  });
  await opened;
  say(socket);
  await closed;
  return said;
}
const success = '{"metadata":{},"status":"Success"}';

describe("a command", () => {
  test("in version 5 hears that there is no more input", async () => {
    const socket = open("web/exec?stdin=true&stdout=true&command=cat", "v5.channel.k8s.io");
    const said = await talk(socket, (s) => {
      s.send(Buffer.from("\0in and out"));
      s.send(Buffer.from([255, 0]));
    });
    expect(said).toEqual({ 1: "in and out", 3: success });
  });
  test("in text travels in base64", async () => {
    const socket = open("web/exec?stdin=true&stdout=true&command=stty&tty=true", "v4.base64.channel.k8s.io");
    const size = Buffer.from('{"Width":80,"Height":24}').toString("base64");
    expect(await talk(socket, (s) => s.send(`4${size}`))).toEqual({ 1: "24 80\n", 3: success });
  });
  test("says how it ended, as far as its version can", async () => {
    const failing = "web/exec?stdout=1&stderr=1&command=sh&command=-c&command=echo%20no%20%3E%262;exit%203";
    const status = JSON.parse((await talk(open(failing, "v4.channel.k8s.io")))[3]!);
    expect(status).toMatchObject({
      status: "Failure",
      reason: "NonZeroExitCode",
      details: { causes: [{ message: "3" }] },
    });
    const plain = await talk(open(failing));
    expect(plain).toEqual({
      1: "",
      2: "no\n",
      3: "command terminated with non-zero exit code: command terminated with exit code 3",
    });
  });
  test("that cannot be run is refused inside the session in version 5, with HTTP before", async () => {
    const said = await talk(open("gone/exec?stdout=1&command=ls", "v5.channel.k8s.io"));
    expect(JSON.parse(said[3]!)).toMatchObject({
      code: 500,
      reason: "InternalError",
      message: 'Internal error occurred: unable to upgrade connection: container not found ("c")',
    });
    await expect(talk(open("gone/exec?stdout=1&command=ls", "v4.channel.k8s.io"))).rejects.toThrow(/500/);
    await expect(talk(open("web/exec?command=ls", "v4.channel.k8s.io"))).rejects.toThrow(/400/);
    await expect(talk(open("web/exec?stdout=1", "v4.channel.k8s.io"))).rejects.toThrow(/400/);
    await expect(talk(open("nobody/exec?stdout=1&command=ls", "v5.channel.k8s.io"))).rejects.toThrow(/404/);
  });
  test("may be as long as one that Kubernetes takes", async () => {
    const script = encodeURIComponent(`: ${"x".repeat(60_000)}; echo done`);
    const output = await talk(open(`web/exec?stdout=1&command=sh&command=-c&command=${script}`, "v5.channel.k8s.io"));
    expect(output).toEqual({ 1: "done\n", 3: success });
  });
  test("is left by a client that vanishes, and its input ends", async () => {
    const socket = open("reader/attach?stdin=true&stdout=true", "v5.channel.k8s.io");
    await once(socket, "message");
    socket.terminate();
    await node.until("reader", (pod) => pod.status?.phase === "Succeeded");
  });
});

describe("forwarded ports", () => {
  test("have a pair of channels each, and name their port first", async () => {
    const socket = open("web/portforward?ports=7&ports=9", "v4.channel.k8s.io");
    const said: Record<number, string> = {};
    const echoed = new Promise<void>((resolve) => {
      socket.on("message", (data: Buffer) => {
        said[data[0]!] = (said[data[0]!] ?? "") + data.subarray(1).toString("latin1");
        if (said[0]?.endsWith("over") && said[3]?.includes("REFUSED")) resolve();
      });
    });
    await once(socket, "open");
    socket.send(Buffer.from("\0over"));
    await echoed;
    expect(said).toMatchObject({ 0: "\x07\0over", 1: "\x07\0", 2: "\x09\0", 3: expect.stringMatching(/^\t/) });
    expect(said[3]).toMatch(/error forwarding port 9 to pod web, uid .*: connect ECONNREFUSED/);
    socket.close();
    await once(socket, "close");
  });
  test("have to be named", async () =>
    expect(talk(open("web/portforward", "v4.channel.k8s.io"))).rejects.toThrow(/400/));
});
