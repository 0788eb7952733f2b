// A reply on the wire: whole, or as it is made, and never faster than its reader takes it.
import type { FastifyReply } from "fastify";
import { ApiError } from "../../api/errors.ts";
import type { Clock } from "../../machinery/world.ts";
import type { ApiReply, StreamReply } from "./exchange.ts";

type Raw = FastifyReply["raw"];

/** Settles when there is room again, or nobody is left to fill it; rejects when neither happens for too long. */
function room(raw: Raw, clock: Clock, patienceMs: number | undefined): Promise<void> {
  const waited = new AbortController();
  return new Promise((resolve, reject) => {
    const go = (): void => {
      raw.off("drain", go).off("close", go);
      waited.abort();
      resolve();
    };
    raw.on("drain", go).on("close", go);
    if (patienceMs === undefined) return;
    clock.sleep(patienceMs, waited.signal).then(
      () => reject(new ApiError("Timeout", "the client has stopped reading")),
      () => {},
    );
  });
}

async function sendStream(to: FastifyReply, { status, headers, stream, isUrgent }: StreamReply, by: Sending) {
  const { raw } = to;
  to.hijack();
  raw.writeHead(status, { ...(to.getHeaders() as Record<string, string>), ...(headers as Record<string, string>) });
  raw.flushHeaders();
  for await (const chunk of stream) {
    if (raw.destroyed || raw.writableEnded) break;
    by.told?.();
    if (!raw.write(chunk)) await room(raw, by.clock, isUrgent && by.readMs);
  }
  if (!raw.destroyed) raw.end();
}

/** What a sender needs beside the reply. */
export interface Sending {
  readonly clock: Clock;
  /** Who has not made room for so long is not reading. */
  readonly readMs: number;
  /** Called for every part of a stream. */
  readonly told?: () => void;
}

/** Send a reply; rejects when it breaks off. */
export async function send(to: FastifyReply, whole: ApiReply, by: Sending): Promise<void> {
  if ("stream" in whole) return sendStream(to, whole, by);
  to.code(whole.status).headers(whole.headers ?? {});
  // Text would be said to be in UTF-8 by whoever sends it, which the original does not say of JSON.
  const body = typeof whole.body === "string" ? Buffer.from(whole.body) : whole.body;
  // Nothing is said of a body that is not sent: a client would take it for its own copy's.
  await to.send(whole.status === 304 ? undefined : body);
}
