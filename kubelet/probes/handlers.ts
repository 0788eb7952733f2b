// Runs the handler of one probe or lifecycle hook against a container: a command, an HTTP request, a TCP connection, or
// a gRPC health check over HTTP/2, without a gRPC library.
import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from "../../api/generated/types.ts";
import http2 from "node:http2";
import type { World } from "../../machinery/world.ts";
import type { ContainerRuntime } from "../runtime.ts";

/** The result of one handler; `output` is the text of the event. A warning counts as a success. */
export interface HandlerOutcome {
  readonly result: "success" | "warning" | "failure";
  readonly output: string;
}
export const success: HandlerOutcome = { result: "success", output: "" };
export const failure = (output: string): HandlerOutcome => ({ result: "failure", output });

const bodyLimitBytes = 10 * 1024;
const redirectLimit = 10;

/** Resolves a port number or the name of one of the container's ports. */
export function portNumber(port: number | string, c: Container): number | undefined {
  if (typeof port === "number") return port;
  const named = c.ports?.find((p) => p.name === port)?.containerPort;
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined);
}

const dialError = (address: string, e: NodeJS.ErrnoException): string =>
  e.code === "ECONNREFUSED"
    ? `dial tcp ${address}: connect: connection refused`
    : e.code === "EHOSTUNREACH"
      ? `dial tcp ${address}: connect: no route to host`
      : e.message;

/** Succeeds when a connection can be opened. */
function probeTcp(host: string, port: number, timeoutMs: number): Promise<HandlerOutcome> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: timeoutMs });
    const finish = (outcome: HandlerOutcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => finish(success));
    socket.once("timeout", () => finish(failure(`dial tcp ${host}:${port}: i/o timeout`)));
    socket.once("error", (e) => finish(failure(dialError(`${host}:${port}`, e))));
  });
}

function headersOf(action: HTTPGetAction): Record<string, string> {
  const own = Object.fromEntries((action.httpHeaders ?? []).map((h) => [h.name, h.value]));
  return { "User-Agent": "kube-probe/1.36", Accept: "*/*", Connection: "close", ...own };
}

function request(url: URL, action: HTTPGetAction, timeoutMs: number): Promise<http.IncomingMessage> {
  const { get } = url.protocol === "https:" ? https : http;
  // The API reference specifies that probes skip certificate verification.
  const options = { headers: headersOf(action), timeout: timeoutMs, agent: false as const, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const call = get(url, options, resolve);
    call.once("timeout", () =>
      call.destroy(new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")),
    );
    call.once("error", reject);
  });
}

async function bodyOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bodyLimitBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, bodyLimitBytes).toString();
}

function outcomeOf(status: number, body: string): HandlerOutcome {
  if (status < 200 || status >= 400) return failure(`HTTP probe failed with statuscode: ${status}`);
  return status < 300 ? success : { result: "warning", output: `Probe terminated redirects, Response body: ${body}` };
}

function firstUrl(host: string, port: number, { path = "/", scheme = "HTTP" }: HTTPGetAction): URL {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return new URL(`${scheme.toLowerCase()}://${authority}${path.startsWith("/") ? path : `/${path}`}`);
}

/**
 * Succeeds on a status from 200 to 399. Redirects are followed on the same host only: one to another host ends the
 * probe with a warning, so that a probe cannot be pointed at a third party.
 */
export async function probeHttp(
  host: string,
  port: number,
  action: HTTPGetAction,
  timeoutMs: number,
): Promise<HandlerOutcome> {
  const first = firstUrl(host, port, action);
  let url = first;
  try {
    for (let followed = 0; ; followed++) {
      const response = await request(url, action, timeoutMs);
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      const body = await bodyOf(response);
      const next = status >= 300 && status < 400 && location !== undefined ? new URL(location, url) : undefined;
      if (next === undefined || next.hostname !== first.hostname) return outcomeOf(status, body);
      if (followed + 1 >= redirectLimit) return failure(`Get "${location}": stopped after ${redirectLimit} redirects`);
      url = next;
    }
  } catch (e) {
    return failure(`Get "${url.href}": ${dialError(`${host}:${port}`, e as NodeJS.ErrnoException)}`);
  }
}

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

function grpcOutcome(status: string | undefined, body: Buffer, service: string): HandlerOutcome {
  if (status !== undefined && status !== "0")
    return failure(`error: health rpc probe failed with gRPC status ${status}`);
  const health = healthStatus(body);
  if (health === "SERVING") return success;
  return failure(`service unhealthy (responded with "${health}")${service ? ` for ${service}` : ""}`);
}

/** Succeeds when the service reports SERVING before `deadline` settles. */
function probeGrpc(host: string, port: number, service: string, deadline: Promise<void>): Promise<HandlerOutcome> {
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
    call.once("end", () => finish(grpcOutcome(status, Buffer.concat(body), service)));
    call.once("error", (e) => failed(e.message));
    call.end(healthRequest(service));
  });
}

/** The container a handler runs against. */
export interface Target {
  readonly id: string;
  readonly container: Container;
  readonly podIp: string;
}

async function runCommand(
  runtime: ContainerRuntime,
  t: Target,
  command: readonly string[],
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<HandlerOutcome> {
  const { exitCode, output, timedOut } = await runtime.run(t.id, command, limit.ms, limit.signal);
  if (timedOut) return failure(`command timed out: "${command.join(" ")}" timed out after ${limit.ms / 1_000}s`);
  return exitCode === 0 ? success : failure(output.trimEnd());
}

/** Runs the handler for at most `limit.ms` milliseconds. */
export async function runHandler(
  { runtime, world: { clock } }: { readonly runtime: ContainerRuntime; readonly world: World },
  t: Target,
  handler: Probe | LifecycleHandler,
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<HandlerOutcome> {
  if (handler.exec) return runCommand(runtime, t, handler.exec.command ?? [], limit);
  const action = handler.httpGet ?? handler.tcpSocket;
  if (action) {
    const port = portNumber(action.port, t.container);
    if (port === undefined) return failure(`couldn't find port: ${action.port}`);
    const host = action.host || t.podIp;
    return handler.httpGet ? probeHttp(host, port, handler.httpGet, limit.ms) : probeTcp(host, port, limit.ms);
  }
  const { grpc } = handler as Probe;
  return grpc ? probeGrpc(t.podIp, grpc.port, grpc.service ?? "", clock.sleep(limit.ms, limit.signal)) : success;
}
