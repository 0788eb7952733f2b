// Container logs, streamed from the kubelet: as a response, or in WebSocket messages.
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type Pod, pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Kubelets } from "../kubelets/kubelets.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";
import type { Extension, StreamReply } from "../request/request-response.ts";
import { logQuery } from "../request/log-options.ts";
import { containerIn, ofPod, type PodPath } from "./pod-target.ts";
import type { Upgrade } from "./tunnel.ts";

const text = { "content-type": "text/plain" };
async function* nothing(): AsyncGenerator<Buffer> {}

async function logs(
  registry: Registry,
  kubelets: Kubelets,
  { namespace, name }: PodPath,
  { query, signal }: { readonly query: URLSearchParams; readonly signal: AbortSignal },
): Promise<StreamReply> {
  const parameters = logQuery(name, query);
  const pod = objectOf<Pod>(await registry.get(pods, key(namespace, name)));
  const container = containerIn(pod, query.get("container"));
  // Nobody has run it yet, so it has said nothing.
  if (!pod.spec.nodeName) return { status: 200, headers: text, stream: nothing() };
  const place = [namespace, name, container].map(encodeURIComponent).join("/");
  const what = `pods/log ${name}`;
  const response = await kubelets.get(pod.spec.nodeName, `/containerLogs/${place}?${parameters}`, what, signal);
  return { status: 200, headers: text, stream: response };
}

/** Serves what containers write. */
export const podLogs =
  (registry: Registry, kubelets: Kubelets): Extension =>
  (request) => {
    const path = request.place;
    if (request.method !== "GET" || !ofPod(path) || path.subresource !== "log") return undefined;
    return logs(registry, kubelets, path, request);
  };

/** Bytes as they are, or as text. */
const handshakes = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => ["binary.k8s.io", "base64.binary.k8s.io"].find((name) => offered.has(name)) ?? false,
});

async function tell(socket: WebSocket, { stream }: StreamReply): Promise<void> {
  const asText = socket.protocol.startsWith("base64.");
  const send = (data: Buffer): Promise<void> =>
    new Promise((resolve) => socket.send(asText ? data.toString("base64") : data, () => resolve()));
  // The first message says that there is a connection.
  await send(Buffer.alloc(0));
  for await (const chunk of stream) {
    if (socket.readyState !== socket.OPEN) return;
    await send(Buffer.from(chunk));
  }
}

/** A log for a client that wants it message by message. */
export async function podLogMessages(
  registry: Registry,
  kubelets: Kubelets,
  path: PodPath,
  { request, socket, head, query }: Upgrade,
  signal: AbortSignal,
): Promise<void> {
  const reply = await logs(registry, kubelets, path, { query, signal });
  handshakes.handleUpgrade(request, socket as Duplex, head, (ws) => {
    ws.on("error", () => {});
    const off = onAbort(signal, () => ws.terminate());
    ws.once("close", off);
    tell(ws, reply).then(
      () => ws.close(1000),
      () => ws.terminate(),
    );
  });
}
