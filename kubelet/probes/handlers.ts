// The network handlers of probes and lifecycle hooks: HTTP requests and TCP connections.
import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { Container, HTTPGetAction } from "../../api/generated/types.ts";

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
export function probeTcp(host: string, port: number, timeoutMs: number): Promise<HandlerOutcome> {
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
