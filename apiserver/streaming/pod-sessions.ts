// Exec, attach and port-forward sessions, tunnelled to the kubelet of the pod.
import type { IncomingMessage } from "node:http";
import { WebSocketServer } from "ws";
import { ApiError } from "../../api/errors.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { type Kubelets, textOf } from "../kubelets/kubelets.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";
import { type Extension, statusOf } from "../request/request-response.ts";
import { dialError } from "../kubelets/dial-error.ts";
import { type PodPath, containerIn, hostOf, ofPod } from "./pod-target.ts";
import { flag } from "../request/path.ts";
import { type Upgrade, echo, join, refuse } from "./tunnel.ts";

/** What kubelets call the sessions that the API calls by these names. */
const sessions: Readonly<Record<string, string>> = { exec: "exec", attach: "attach", portforward: "portForward" };
/** Whether this part of a pod is a session. */
export const isSession = (path: PodPath): boolean => sessions[path.subresource ?? ""] !== undefined;

/** The query in the words of kubelets. Pure. */
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

/** Where a session is held: the node, and what its kubelet calls it. */
async function locate(registry: Registry, path: PodPath, query: URLSearchParams) {
  const pod = objectOf<Pod>(await registry.get(pods, key(path.namespace, path.name)));
  const what = path.subresource!;
  const container = what === "portforward" ? [] : [containerIn(pod, query.get("container"))];
  const node = hostOf(pod);
  const place = [path.namespace, path.name, ...container].map(encodeURIComponent).join("/");
  return { node, url: `/${sessions[what]}/${place}?${sessionQuery(what, query)}` };
}

/** Says to whoever asks for a session in plain HTTP that this is not the way. */
export const sessionsWithoutUpgrade =
  (registry: Registry): Extension =>
  (request) => {
    const path = request.place;
    if (!ofPod(path) || !isSession(path) || !["GET", "POST"].includes(request.method)) return undefined;
    return locate(registry, path, request.query).then(() => {
      throw new ApiError("BadRequest", "Upgrade request required");
    });
  };

const carried = [
  "connection",
  "upgrade",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
  "x-stream-protocol-version",
];
function headersOf(request: IncomingMessage): Record<string, string> {
  const parametersOf = carried.map((name) => [name, request.headers[name]]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(parametersOf.map(([name, value]) => [name, String(value)]));
}

const errorChannel = 3;
const lastWords = "v5.channel.k8s.io";
const handshakes = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has(lastWords) ? lastWords : false),
});

/**
 * The kubelet will not. A client that speaks WebSocket takes a refused handshake for a server that cannot speak it,
 * and never reads why; so the handshake is made, and the reason is the one thing that is said.
 */
function refuseInSession({ request, socket, head }: Upgrade, why: string): void {
  const status = statusOf(
    new ApiError("InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] }),
  );
  handshakes.handleUpgrade(request, socket, head, (ws) => {
    ws.on("error", () => {});
    ws.send(Buffer.concat([Buffer.from([errorChannel]), Buffer.from(JSON.stringify(status.status))]));
    ws.close(1000);
  });
}

/** Holds a session, or throws what is wrong with the request. */
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
