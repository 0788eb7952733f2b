// gRPC health checking (grpc.health.v1.Health/Check) over HTTP/2, without a gRPC library.
import http2 from "node:http2";
import { failure, type HandlerOutcome, success } from "./handlers.ts";

/** Encodes HealthCheckRequest, a message of one string field, in a length-prefixed gRPC frame. Pure. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

const statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
/** Decodes HealthCheckResponse: the value of its only field, which is 0 when absent. Pure. */
export const healthStatus = (frame: Uint8Array): string =>
  statuses[frame.length >= 7 ? (frame[6] ?? 0) : 0] ?? "UNKNOWN";

function outcomeOf(status: string | undefined, body: Buffer, service: string): HandlerOutcome {
  if (status !== undefined && status !== "0")
    return failure(`error: health rpc probe failed with gRPC status ${status}`);
  const health = healthStatus(body);
  if (health === "SERVING") return success;
  return failure(`service unhealthy (responded with "${health}")${service ? ` for ${service}` : ""}`);
}

/** Succeeds when the service reports SERVING before `deadline` settles. */
export function probeGrpc(
  host: string,
  port: number,
  service: string,
  deadline: Promise<void>,
): Promise<HandlerOutcome> {
  return new Promise((resolve) => {
    const session = http2.connect(`http://${host}:${port}`);
    const finish = (outcome: HandlerOutcome): void => {
      session.destroy();
      resolve(outcome);
    };
    const failed = (why: string): void =>
      finish(failure(`timeout: failed to connect service "${host}:${port}": ${why}`));
    deadline.then(
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
    for (const event of ["response", "trailers"] as const)
      call.on(event, (h: http2.IncomingHttpHeaders) => {
        status = h["grpc-status"] as string | undefined;
      });
    call.on("data", (d: Buffer) => body.push(d));
    call.once("end", () => finish(outcomeOf(status, Buffer.concat(body), service)));
    call.once("error", (e) => failed(e.message));
    call.end(healthRequest(service));
  });
}
