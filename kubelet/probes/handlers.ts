// The ways to ask a container something, shared by probes and lifecycle hooks: a command, a request, a connection.
import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { Container, HTTPGetAction } from "../../api/generated/types.ts";

/** How asking went; `output` is what a user reads in the event. */
export interface Answer {
  readonly ok: boolean;
  readonly output: string;
}

const longestBody = 10 * 1024;

/** A port by number, or by the name one of the container's ports carries. */
export function portNumber(port: number | string, c: Container): number | undefined {
  if (typeof port === "number") return port;
  const named = c.ports?.find((p) => p.name === port)?.containerPort;
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined);
}

const refused = (address: string, e: NodeJS.ErrnoException): string =>
  e.code === "ECONNREFUSED"
    ? `dial tcp ${address}: connect: connection refused`
    : e.code === "EHOSTUNREACH"
      ? `dial tcp ${address}: connect: no route to host`
      : e.message;

/** Opens a connection and closes it again. */
export function askTcp(host: string, port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: timeoutMs });
    const answer = (ok: boolean, output: string): void => {
      socket.destroy();
      resolve({ ok, output });
    };
    socket.once("connect", () => answer(true, ""));
    socket.once("timeout", () => answer(false, `dial tcp ${host}:${port}: i/o timeout`));
    socket.once("error", (e) => answer(false, refused(`${host}:${port}`, e)));
  });
}

function headersOf(action: HTTPGetAction): Record<string, string> {
  const given = Object.fromEntries((action.httpHeaders ?? []).map((h) => [h.name, h.value]));
  return { "User-Agent": "kube-probe/1.36", Accept: "*/*", Connection: "close", ...given };
}

interface Reply {
  readonly status: number;
  readonly location: string | undefined;
}

function request(url: URL, action: HTTPGetAction, timeoutMs: number): Promise<Reply> {
  const module = url.protocol === "https:" ? https : http;
  // The certificate is nobody's business here: the question is whether someone answers.
  const options = { headers: headersOf(action), timeout: timeoutMs, agent: false as const, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const call = module.get(url, options, (reply) => {
      let size = 0;
      reply.on("data", (d: Buffer) => {
        size += d.length;
        if (size > longestBody) reply.destroy();
      });
      resolve({ status: reply.statusCode ?? 0, location: reply.headers.location });
    });
    call.once("timeout", () =>
      call.destroy(new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")),
    );
    call.once("error", reject);
  });
}

/** Asks for a page; any answer from 200 to 399 will do. Redirects on the same host are followed. */
export async function askHttp(host: string, port: number, action: HTTPGetAction, timeoutMs: number): Promise<Answer> {
  const path = (action.path ?? "/").startsWith("/") ? (action.path ?? "/") : `/${action.path}`;
  let url = new URL(
    `${(action.scheme ?? "HTTP").toLowerCase()}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`,
  );
  try {
    for (let hops = 0; hops < 10; hops++) {
      const { status, location } = await request(url, action, timeoutMs);
      const next = location === undefined ? undefined : new URL(location, url);
      if (status < 300 || status >= 400 || next === undefined || next.hostname !== url.hostname)
        return { ok: status >= 200 && status < 400, output: `HTTP probe failed with statuscode: ${status}` };
      url = next;
    }
    return { ok: false, output: "stopped after 10 redirects" };
  } catch (e) {
    return { ok: false, output: `Get "${url.href}": ${refused(`${host}:${port}`, e as NodeJS.ErrnoException)}` };
  }
}
