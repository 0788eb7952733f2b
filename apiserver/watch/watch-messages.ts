// Responses on a connection that asked for WebSocket: a watch sends one event per message; any other response is plain
// HTTP and ends the connection.
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../machinery/world.ts";
import type { ApiReply, StreamReply } from "../request/request-response.ts";
import { openWebSocket, respond, switchingProtocols, type Upgrade } from "../streaming/tunnel.ts";

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
