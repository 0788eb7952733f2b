// Requests that upgrade their connection: logs and watches over WebSocket, sessions, and proxied upgrades. A watch is
// one message per event; any other response is plain HTTP and ends the connection.
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../machinery/world.ts";
import { type ApiReply, type StreamReply, type ApiRequest, statusOf } from "../request/request-response.ts";
import { type Upgrade, openWebSocket, respond, switchingProtocols, refuse } from "../streaming/tunnel.ts";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Kubelets } from "../kubelets/kubelets.ts";
import { proxyUpgrade } from "../proxy/proxy.ts";
import { proxyPath } from "../proxy/target.ts";
import type { Registry } from "../registry/verbs.ts";
import { admitConnection } from "./connect.ts";
import { podLogMessages, isSession, podSession, ofPod } from "../streaming/pods.ts";
import type { User } from "../authorization/authorizer.ts";
import { type ResourcePath, resourcePath } from "../request/path.ts";

/** Limit for a client to take an event. */
const readMs = 30_000;

/** Whether the header names an origin, which a browser sends; programs may name any. Pure. */
const hasOrigin = (origin: string | undefined): boolean => /^(\/|[a-z][a-z0-9+.-]*:)/i.test(origin ?? "");

// Any single subprotocol is accepted: events look the same in all of them.
const handshakes = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => [...offered][0] ?? false,
});

/** Why a handshake fails, as a status, if it does. Pure. */
function refusedHandshake(headers: Upgrade["request"]["headers"]): number | undefined {
  if (!hasOrigin(headers.origin)) return 403;
  // Of several subprotocols the server would have to choose.
  return String(headers["sec-websocket-protocol"] ?? "").includes(",") ? 400 : undefined;
}

async function sendEvents(
  socket: WebSocket,
  { stream }: StreamReply,
  { clock, onChunk }: { readonly clock: Clock } & Pick<Upgrade, "onChunk">,
): Promise<void> {
  const sent = (data: Buffer | string): Promise<void> =>
    new Promise((resolve) => socket.send(data, { binary: false }, () => resolve()));
  for await (const line of stream) {
    if (socket.readyState !== socket.OPEN) return;
    const taken = new AbortController();
    const tooLong = clock.sleep(readMs, taken.signal).then(() => socket.terminate());
    tooLong.catch(() => {});
    onChunk(line);
    await sent(line);
    taken.abort();
  }
}

const isWebSocket = ({ request }: Upgrade): boolean => request.headers.upgrade?.toLowerCase() === "websocket";

/** Sends the response, and returns its status. */
export function answerUpgrade(upgrade: Upgrade, reply: ApiReply, clock: Clock): number {
  const { request, socket, onChunk } = upgrade;
  if (!("stream" in reply) || !isWebSocket(upgrade)) {
    respond(socket, reply);
    return reply.status;
  }
  const refused = refusedHandshake(request.headers);
  if (refused !== undefined) {
    respond(socket, { status: refused, body: "" });
    return refused;
  }
  openWebSocket(handshakes, upgrade, (ws) => sendEvents(ws, reply, { clock, onChunk }));
  return switchingProtocols;
}

/** The upgrade as a plain request, without a body. */
function plain(upgrade: Upgrade, place: ResourcePath | undefined, user: User, signal: AbortSignal): ApiRequest {
  const { path, query, search } = upgrade;
  const { method = "GET", headers, socket } = upgrade.request;
  return { method, path, place, query, headers, body: undefined, search, from: socket.remoteAddress, user, signal };
}

/** The user of an upgrade, and the callback for metrics. */
export interface Upgrading extends Pick<Upgrade, "onChunk"> {
  readonly user: User;
}

/** Serves all upgrades. `handle` responds to requests that do not need one. */
export function upgrades(registry: Registry, kubelets: Kubelets, handle: (request: ApiRequest) => Promise<ApiReply>) {
  const begin = async (upgrade: Upgrade, user: User, signal: AbortSignal): Promise<number> => {
    const place = resourcePath(upgrade.path);
    const proxied = place?.subresource === "proxy" ? proxyPath(upgrade.path) : undefined;
    if (place) await admitConnection(registry, { ...upgrade, place, user });
    if (ofPod(place) && place.subresource === "log") await podLogMessages(registry, kubelets, place, upgrade, signal);
    else if (ofPod(place) && isSession(place)) await podSession(registry, kubelets, place, upgrade);
    else if (proxied) await proxyUpgrade(registry, kubelets, proxied, upgrade);
    else return answerUpgrade(upgrade, await handle(plain(upgrade, place, user, signal)), registry.world.clock);
    return switchingProtocols;
  };
  /** Answers with the status it came to. */
  return async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { user, onChunk }: Upgrading,
  ): Promise<number> => {
    const { pathname: path, searchParams: query, search } = new URL(request.url ?? "/", "https://apiserver");
    const left = new AbortController();
    socket.once("close", () => left.abort());
    try {
      return await begin({ request, socket, head, path, query, search, onChunk }, user, left.signal);
    } catch (e) {
      refuse(socket, e);
      return statusOf(e).code;
    }
  };
}
