// Requests that HTTP's parsers refuse, answered with a Status like every other error.
import type { ConnectionError } from "fastify";
import type { Socket } from "node:net";
import { ApiError } from "../../api/errors.ts";
import { replyError } from "../request/request-response.ts";

/** The API error for an error of the framework. An unlisted one is internal. */
export function protocolError(e: { readonly code?: string; readonly message: string }, bodyLimit: number): unknown {
  switch (e.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${bodyLimit}`);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new ApiError("UnsupportedMediaType", "the body of the request was in an unknown format");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
    case "FST_ERR_BAD_URL":
    case "ECONNRESET":
      return new ApiError("BadRequest", e.message);
    default:
      return e;
  }
}

const tooSlow = "ERR_HTTP_REQUEST_TIMEOUT";
const tooLong = "HPE_HEADER_OVERFLOW";

/** Answers a request that cannot be parsed on the bare connection, and closes it: its framing is unknown. */
export function refuseConnection(e: ConnectionError, socket: Socket): void {
  // The client has gone itself, or hung up in the middle of its own request.
  if (e.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const said =
    e.code === tooSlow
      ? new ApiError("Timeout", "the request did not arrive in time")
      : e.code === tooLong
        ? new ApiError("RequestEntityTooLarge", "the address and the headers of the request are too long")
        : new ApiError("BadRequest", `the request is no HTTP: ${e.code}`);
  const { status, body } = replyError(said);
  const head = [
    `HTTP/1.1 ${status} Refused`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
