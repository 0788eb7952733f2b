// Kubernetes' channels over one WebSocket: the first byte of each message says whose it is.
import type { WebSocket } from "ws";
import { messagesIn, sent } from "./messages.ts";
import type { SessionProtocol } from "./protocols.ts";
import { type Caller, type Inbox, type Streams, sizeIn } from "./remote-command.ts";
import { statusBytes } from "./session-status.ts";

export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** One message: what it says, and on which channel. */
export interface ChannelMessage {
  readonly channel: number;
  readonly data: Buffer;
}

/** In base64 the channel is a digit before the text, so that all of it can be read. */
export function packed(to: number, data: Uint8Array, { base64 }: SessionProtocol): Buffer | string {
  if (base64) return `${to}${Buffer.from(data.buffer, data.byteOffset, data.length).toString("base64")}`;
  const message = Buffer.allocUnsafe(data.length + 1);
  message[0] = to;
  message.set(data, 1);
  return message;
}

/** Undo {@link packed}; a message without a channel is none. */
export function unpacked(message: Buffer, { base64 }: SessionProtocol): ChannelMessage | undefined {
  if (message.length === 0) return undefined;
  if (!base64) return { channel: message[0]!, data: message.subarray(1) };
  return { channel: message[0]! - 0x30, data: Buffer.from(message.toString("latin1", 1), "base64") };
}

async function hear(messages: AsyncIterable<Buffer>, protocol: SessionProtocol, inbox: Inbox): Promise<void> {
  for await (const raw of messages) {
    const message = unpacked(raw, protocol);
    if (message?.channel === channel.stdin) await inbox.input(message.data);
    else if (message?.channel === channel.resize) {
      const size = sizeIn(message.data.toString());
      if (size) inbox.resize(size.columns, size.rows);
    } else if (message?.channel === channel.close && protocol.version >= 5 && message.data[0] === channel.stdin)
      inbox.endInput();
  }
  inbox.hangUp();
}

/** A client that speaks through channels. */
export function overChannels(socket: WebSocket, protocol: SessionProtocol, streams: Streams): Caller {
  const write = (to: number, data: Uint8Array): Promise<void> => sent(socket, packed(to, data, protocol));
  // What comes before anybody listens is kept for him.
  const messages = messagesIn(socket);
  // Clients wait for a first message before they believe that there is a session.
  const first = streams.stdout ? channel.stdout : streams.stderr ? channel.stderr : channel.error;
  void write(first, Buffer.alloc(0));
  return {
    listen: (inbox) => void hear(messages, protocol, inbox),
    stdout: (data) => write(channel.stdout, data),
    stderr: (data) => write(channel.stderr, data),
    async finish(status) {
      const bytes = statusBytes(status, protocol.version);
      if (bytes) await write(channel.error, bytes);
    },
  };
}
