// Responses on a connection that asked for WebSocket: a watch sends one event per message; any other response is plain
// HTTP and ends the connection.
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../machinery/world.ts";
import type { ApiReply, StreamReply } from "../request/request-response.ts";
import { respond, switchingProtocols, type Upgrade } from "../streaming/tunnel.ts";

/** Who has not taken an event for so long is not reading. */
const readMs = 30_000;

/** Who asks has to say where the page comes from that it speaks for; programs name any place. Pure. */
const hasOrigin = (origin: string | undefined): boolean => /^(\/|[a-z][a-z0-9+.-]*:)/i.test(origin ?? "");

// The client's own protocol is agreed to, whatever its name: events look the same in all of them.
const handshakes = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => [...offered][0] ?? false,
});

/** Why a handshake fails, as a status, if it does. Pure. */
function refusedHandshake(headers: Upgrade["request"]["headers"]): number | undefined {
  if (!hasOrigin(headers.origin)) return 403;
  // Nobody is there to choose one.
  return String(headers["sec-websocket-protocol"] ?? "").includes(",") ? 400 : undefined;
}

async function tell(
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
  const { request, socket, head, onChunk } = upgrade;
  if (!("stream" in reply) || !isWebSocket(upgrade)) {
    respond(socket, reply);
    return reply.status;
  }
  const refused = refusedHandshake(request.headers);
  if (refused !== undefined) {
    respond(socket, { status: refused, body: "" });
    return refused;
  }
  handshakes.handleUpgrade(request, socket, head, (ws) => {
    ws.on("error", () => {});
    // Messages of the client are not read.
    ws.on("message", () => {});
    tell(ws, reply, { clock, onChunk }).then(
      () => ws.close(1000),
      () => ws.terminate(),
    );
  });
  return switchingProtocols;
}
