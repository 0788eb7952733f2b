// Logs, exec, attach and port-forward of pods, through the kubelet of the pod's node: as a response, in WebSocket
// messages, or as a tunnel.
import { type Handler, type StreamReply, statusOf } from "../request/request-response.ts";
import { ApiError } from "../../api/errors.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { type ResourcePath, flag } from "../request/path.ts";
import { type WebSocket, WebSocketServer } from "ws";
import { key } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import { type Kubelets, textOf, dialError } from "../kubelets/kubelets.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";
import { logQuery } from "../request/options.ts";
import { type Upgrade, echo, join, refuse, openWebSocket } from "./tunnel.ts";
import type { IncomingMessage } from "node:http";

/** The path of a subresource of a pod. */
export type PodPath = ResourcePath & { readonly name: string; readonly namespace: string };
export const ofPod = (path: ResourcePath | undefined): path is PodPath =>
  path?.group === "" && path.plural === "pods" && path.name !== undefined && path.namespace !== undefined;

/** The named container, or the only one. */
export function containerIn(pod: Pod, named: string | null): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all = [...initContainers, ...containers, ...ephemeralContainers].map((c) => c.name);
  const { name } = pod.metadata;
  if (named) {
    if (!all.includes(named)) throw new ApiError("BadRequest", `container ${named} is not valid for pod ${name}`);
    return named;
  }
  if (containers.length === 1) return containers[0]!.name;
  throw new ApiError(
    "BadRequest",
    `a container name must be specified for pod ${name}, choose one of: [${all.join(" ")}]`,
  );
}

/** The node of a pod that is scheduled. */
export function hostOf(pod: Pod): string {
  if (!pod.spec.nodeName) throw new ApiError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
  return pod.spec.nodeName;
}

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
  // A pod without a node has no log yet.
  if (!pod.spec.nodeName) return { status: 200, headers: text, stream: nothing() };
  const place = [namespace, name, container].map(encodeURIComponent).join("/");
  const what = `pods/log ${name}`;
  const response = await kubelets.get(pod.spec.nodeName, `/containerLogs/${place}?${parameters}`, what, signal);
  return { status: 200, headers: text, stream: response };
}

/** Serves the logs of containers. */
export const podLogs =
  (kubelets: Kubelets): Handler =>
  ({ registry, path, request }) =>
    logs(registry, kubelets, path as PodPath, request);

/** Messages are bytes, or base64 text. */
const logHandshakes = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => ["binary.k8s.io", "base64.binary.k8s.io"].find((name) => offered.has(name)) ?? false,
});

async function sendMessages(socket: WebSocket, { stream }: StreamReply): Promise<void> {
  const asText = socket.protocol.startsWith("base64.");
  const send = (data: Buffer): Promise<void> =>
    new Promise((resolve) => socket.send(asText ? data.toString("base64") : data, () => resolve()));
  // An empty first message confirms the connection.
  await send(Buffer.alloc(0));
  for await (const chunk of stream) {
    if (socket.readyState !== socket.OPEN) return;
    await send(Buffer.from(chunk));
  }
}

/** A log in WebSocket messages. */
export async function podLogMessages(
  registry: Registry,
  kubelets: Kubelets,
  path: PodPath,
  upgrade: Upgrade,
  signal: AbortSignal,
): Promise<void> {
  const reply = await logs(registry, kubelets, path, { query: upgrade.query, signal });
  openWebSocket(logHandshakes, upgrade, (ws) => {
    ws.once(
      "close",
      onAbort(signal, () => ws.terminate()),
    );
    return sendMessages(ws, reply);
  });
}

/** The kubelet's names of the sessions. */
const sessions: Readonly<Record<string, string>> = { exec: "exec", attach: "attach", portforward: "portForward" };
/** Whether the subresource is a session. */
export const isSession = (path: PodPath): boolean => sessions[path.subresource ?? ""] !== undefined;

/** The query of the kubelet's endpoint. Pure. */
export function sessionQuery(what: string, query: URLSearchParams): URLSearchParams {
  const parametersOf = (name: string): [string, string][] => query.getAll(name).map((value) => [name, value]);
  if (what === "portforward") return new URLSearchParams(parametersOf("ports").map(([, port]) => ["port", port]));
  const words = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" };
  const flags = Object.entries(words).filter(([name]) => flag(query, name));
  return new URLSearchParams([
    ...flags.map(([, word]): [string, string] => [word, "1"]),
    ...(what === "exec" ? parametersOf("command") : []),
  ]);
}

/** The node of a session, and its URL at the kubelet. */
async function locate(registry: Registry, path: PodPath, query: URLSearchParams) {
  const pod = objectOf<Pod>(await registry.get(pods, key(path.namespace, path.name)));
  const what = path.subresource!;
  const container = what === "portforward" ? [] : [containerIn(pod, query.get("container"))];
  const node = hostOf(pod);
  const place = [path.namespace, path.name, ...container].map(encodeURIComponent).join("/");
  return { node, url: `/${sessions[what]}/${place}?${sessionQuery(what, query)}` };
}

/** Refuses a session that is requested without an upgrade. */
export const sessionWithoutUpgrade: Handler = async ({ registry, path, request }) => {
  await locate(registry, path as PodPath, request.query);
  throw new ApiError("BadRequest", "Upgrade request required");
};

const carried = [
  ...["connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"],
  ...["sec-websocket-extensions", "x-stream-protocol-version"],
];
function headersOf(request: IncomingMessage): Record<string, string> {
  const parametersOf = carried.map((name) => [name, request.headers[name]]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(parametersOf.map(([name, value]) => [name, String(value)]));
}

const errorChannel = 3;
const lastWords = "v5.channel.k8s.io";
const sessionHandshakes = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has(lastWords) ? lastWords : false),
});

/**
 * Reports a kubelet's refusal inside a session: WebSocket clients do not read the response to a refused handshake, so
 * the handshake is completed, and the error is the only message.
 */
function refuseInSession(upgrade: Upgrade, why: string): void {
  const status = statusOf(
    new ApiError("InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] }),
  );
  openWebSocket(sessionHandshakes, upgrade, async (ws) =>
    ws.send(Buffer.concat([Buffer.from([errorChannel]), Buffer.from(JSON.stringify(status.status))])),
  );
}

/** Tunnels a session to the kubelet. Throws what is wrong with the request. */
export async function podSession(
  registry: Registry,
  kubelets: Kubelets,
  path: PodPath,
  upgrade: Upgrade,
): Promise<void> {
  const { request, socket, query } = upgrade;
  const { node, url } = await locate(registry, path, query);
  const { upstream, place } = await kubelets.upgrade(node, url, {
    method: request.method ?? "GET",
    headers: headersOf(request),
  });
  const inSession = String(request.headers["sec-websocket-protocol"] ?? "").includes(lastWords);
  join(upgrade, upstream, {
    onResponse(response) {
      if (!inSession) return echo(socket, response);
      textOf(response).then(
        (message) => refuseInSession(upgrade, `unable to upgrade connection: ${message.trim()}`),
        () => socket.destroy(),
      );
    },
    failed(e) {
      const why = dialError(e, place.host, place.port);
      const message = `error sending request: Post "https://${place.host}:${place.port}${url}": ${why}`;
      if (inSession) refuseInSession(upgrade, message);
      else refuse(socket, new ApiError("Unknown", `error dialing backend: ${why}`));
    },
  });
}
