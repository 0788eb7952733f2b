// Exec and logs over WebSockets, with the oldest protocols.
import { once } from "node:events";
import { expect } from "vitest";
import { WebSocket } from "ws";
import { runs, simulatedNode } from "../suites/simulated-node.ts";
import { behaviour, type ScenarioContext } from "./behaviour.ts";

/** All messages until the end. */
async function messagesOf({ server }: ScenarioContext, path: string, protocol: string): Promise<readonly Buffer[]> {
  const { url, ca, admin } = server;
  const socket = new WebSocket(`${url.replace("https", "wss")}${path}`, [protocol], { ca, ...admin });
  const messages: Buffer[] = [];
  socket.on("message", (data: Buffer) => messages.push(data));
  await once(socket, "open");
  expect(socket.protocol).toBe(protocol);
  await once(socket, "close");
  return messages;
}

async function withPod(context: ScenarioContext, name: string, work: () => Promise<void>): Promise<void> {
  const node = await simulatedNode(context.server);
  try {
    const { namespace } = context;
    await node.create(name, [runs("main", "echo container is alive; while :; do sleep 600; done")], { namespace });
    await node.ready(name, namespace);
    await work();
  } finally {
    await node.close();
  }
}

behaviour("Pods should support remote command execution over websockets", (context) =>
  withPod(context, "pod-exec-websocket", async () => {
    const command = "command=echo&command=remote%20execution%20test";
    const path = `/api/v1/namespaces/${context.namespace}/pods/pod-exec-websocket/exec`;
    const messages = await messagesOf(context, `${path}?stderr=1&stdout=1&container=main&${command}`, "channel.k8s.io");
    // On success there is only output, on the channel of stdout.
    expect(messages.every((m) => m[0] === 1)).toBe(true);
    expect(Buffer.concat(messages.map((m) => m.subarray(1))).toString()).toBe("remote execution test\n");
  }),
);

behaviour("Pods should support retrieving logs from the container over websockets", (context) =>
  withPod(context, "pod-logs-websocket", async () => {
    const path = `/api/v1/namespaces/${context.namespace}/pods/pod-logs-websocket/log?container=main`;
    const messages = await messagesOf(context, path, "binary.k8s.io");
    expect(Buffer.concat(messages).toString()).toBe("container is alive\n");
    const texts = await messagesOf(context, path, "base64.binary.k8s.io");
    expect(texts.map((text) => Buffer.from(String(text), "base64").toString()).join("")).toBe("container is alive\n");
  }),
);
