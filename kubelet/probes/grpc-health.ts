// Asks a server of the standard gRPC health service whether it serves: one call over HTTP/2, two tiny messages.
import http2 from "node:http2";
import type { Answer } from "./handlers.ts";

/** A message of one text field, in the length-prefixed frame gRPC wants. Pure. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

const words = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
/** The status in a reply: the value of its only field, 0 when that is left out. Pure. */
export const healthStatus = (reply: Uint8Array): string => words[reply.length >= 7 ? (reply[6] ?? 0) : 0] ?? "UNKNOWN";

function answerOf(status: string | undefined, body: Buffer, service: string): Answer {
  if (status !== undefined && status !== "0")
    return { ok: false, output: `error: health rpc probe failed with gRPC status ${status}` };
  const health = healthStatus(body);
  return {
    ok: health === "SERVING",
    output: `service unhealthy (responded with "${health}")${service ? ` for ${service}` : ""}`,
  };
}

/** A probe of kind `grpc`. */
export function askGrpc(host: string, port: number, service: string, late: Promise<void>): Promise<Answer> {
  return new Promise((resolve) => {
    const session = http2.connect(`http://${host}:${port}`);
    const finish = (answer: Answer): void => {
      session.destroy();
      resolve(answer);
    };
    const failed = (why: string): void =>
      finish({ ok: false, output: `timeout: failed to connect service "${host}:${port}": ${why}` });
    late.then(
      () => failed("context deadline exceeded"),
      () => failed("called off"),
    );
    session.once("error", (e) => failed(e.message));
    const headers = {
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    };
    const call = session.request(headers);
    const body: Buffer[] = [];
    let status: string | undefined;
    call.on("response", (h) => {
      status = h["grpc-status"] as string | undefined;
    });
    call.on("trailers", (h) => {
      status = h["grpc-status"] as string | undefined;
    });
    call.on("data", (d: Buffer) => body.push(d));
    call.once("end", () => finish(answerOf(status, Buffer.concat(body), service)));
    call.once("error", (e) => failed(e.message));
    call.end(healthRequest(service));
  });
}
