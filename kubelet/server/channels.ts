// The channel protocol over one WebSocket (`v5.channel.k8s.io`): the first byte of a message is its channel.
import type { WebSocket } from "ws";
import { messagesIn, send } from "./transports.ts";
import {
  type SessionProtocol,
  type SessionClient,
  type ClientInput,
  type Streams,
  resize,
  statusBytes,
} from "./remote-command.ts";

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

interface ChannelMessage {
  readonly channel: number;
  readonly data: Buffer;
}

/** Encodes a message; in base64 the channel is a digit before the text. */
export function encodeMessage(to: number, data: Uint8Array, { base64 }: SessionProtocol): Buffer | string {
  if (base64) return `${to}${Buffer.from(data.buffer, data.byteOffset, data.length).toString("base64")}`;
  const message = Buffer.allocUnsafe(data.length + 1);
  message[0] = to;
  message.set(data, 1);
  return message;
}

/** Decodes a message; undefined for an empty one. */
export function decodeMessage(message: Buffer, { base64 }: SessionProtocol): ChannelMessage | undefined {
  if (message.length === 0) return undefined;
  if (!base64) return { channel: message[0]!, data: message.subarray(1) };
  return { channel: message[0]! - 0x30, data: Buffer.from(message.toString("latin1", 1), "base64") };
}

async function readInput(
  messages: AsyncIterable<Buffer>,
  protocol: SessionProtocol,
  input: ClientInput,
): Promise<void> {
  for await (const raw of messages) {
    const message = decodeMessage(raw, protocol);
    if (message?.channel === channel.stdin) await input.input(message.data);
    else if (message?.channel === channel.resize) resize(input, message.data.toString());
    else if (message?.channel === channel.close && protocol.version >= 5 && message.data[0] === channel.stdin)
      input.endInput();
  }
  input.hangUp();
}

/** The session client of a WebSocket. */
export function overChannels(socket: WebSocket, protocol: SessionProtocol, streams: Streams): SessionClient {
  const write = (to: number, data: Uint8Array): Promise<void> => send(socket, encodeMessage(to, data, protocol));
  // Opened now, so that messages before `listen` are kept.
  const messages = messagesIn(socket);
  // Clients wait for a first message to see that the session is established.
  const first = streams.stdout ? channel.stdout : streams.stderr ? channel.stderr : channel.error;
  void write(first, Buffer.alloc(0));
  return {
    listen: (input) => void readInput(messages, protocol, input),
    stdout: (data) => write(channel.stdout, data),
    stderr: (data) => write(channel.stderr, data),
    async finish(status) {
      const bytes = statusBytes(status, protocol.version);
      if (bytes) await write(channel.error, bytes);
    },
  };
}
