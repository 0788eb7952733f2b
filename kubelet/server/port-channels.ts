// Port forwarding over WebSocket channels: the ports are in the query, and each has a data and an error channel.
import type { WebSocket } from "ws";
import { PassThrough } from "node:stream";
import { drained } from "../back-pressure.ts";
import { encodeMessage, decodeMessage } from "./channels.ts";
import { Refused } from "./find-container.ts";
import { messagesIn, send } from "./messages.ts";
import { forwardConnection, type Dialer } from "./port-forward.ts";
import type { SessionProtocol } from "./protocols.ts";

function portIn(text: string, all: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(port))
    throw new Refused(400, `unable to parse "${all}" as a port: strconv.ParseUint: parsing "${text}": invalid syntax`);
  if (port > 65_535)
    throw new Refused(
      400,
      `unable to parse "${all}" as a port: strconv.ParseUint: parsing "${text}": value out of range`,
    );
  if (port < 1) throw new Refused(400, `port "${all}" must be > 0`);
  return port;
}

/** The ports of the query. Pure. */
export function portsIn(query: URLSearchParams): readonly number[] {
  const values = query.getAll("port");
  if (values.length === 0) throw new Refused(400, 'query parameter "port" is required');
  return values.flatMap((all) => {
    if (all === "") throw new Refused(400, 'query parameter "port" cannot be empty');
    return all.split(",").map((text) => portIn(text, all));
  });
}

/** Serves one client until all its connections have ended, or it disconnects. */
export async function forwardChannels(
  dialing: Dialer,
  ports: readonly number[],
  socket: WebSocket,
  protocol: SessionProtocol,
): Promise<void> {
  const write = async (to: number, data: Uint8Array): Promise<void> => {
    if (socket.readyState !== socket.OPEN) throw new Error("the client has left");
    await send(socket, encodeMessage(to, data, protocol));
  };
  const inputs = ports.map(() => new PassThrough());
  const readInput = async (): Promise<void> => {
    for await (const raw of messagesIn(socket)) {
      const message = decodeMessage(raw, protocol);
      const input = message && message.channel % 2 === 0 ? inputs[message.channel / 2] : undefined;
      if (message && input && !input.write(message.data)) await drained(input);
    }
    for (const input of inputs) input.end();
  };
  const forward = async (port: number, i: number): Promise<void> => {
    const header = Buffer.alloc(2);
    header.writeUInt16LE(port);
    await write(2 * i, header);
    await write(2 * i + 1, header);
    const wrong = await forwardConnection(dialing, port, inputs[i]!, (data) => write(2 * i, data));
    inputs[i]!.resume();
    if (wrong !== undefined) await write(2 * i + 1, Buffer.from(wrong));
  };
  readInput().catch(() => {});
  await Promise.all(ports.map(forward));
}
