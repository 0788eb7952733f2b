// HTTP with JSON between the services: a server from a table of routes, and a client that repeats what failed.
import { createServer, type IncomingMessage, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Request {
  /** The values of the path's `:names`. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}
export interface Reply {
  readonly status: number;
  /** Sent as JSON; a string is sent as HTML, and bytes as they are. */
  readonly body: unknown;
}
/** Handlers by method and path, such as `PUT /orders/:key`. */
export type Routes = Readonly<Record<string, (request: Request) => Promise<Reply> | Reply>>;

export const ok = (body: unknown): Reply => ({ status: 200, body });

/** A decision against the request, which a repetition would not change. All other errors are answered with 503. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

/** The values of a pattern's names in a path, or undefined when it does not match. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const [names, values] = [pattern.split("/"), path.split("/")];
  if (names.length !== values.length) return undefined;
  const isSame = names.every((name, i) => (name.startsWith(":") ? values[i] !== "" : name === values[i]));
  if (!isSame) return undefined;
  return Object.fromEntries(
    names.flatMap((name, i) => (name.startsWith(":") ? [[name.slice(1), decodeURIComponent(values[i]!)]] : [])),
  );
}

async function reply(routes: Routes, request: IncomingMessage): Promise<Reply> {
  const { pathname } = new URL(request.url ?? "/", "http://shop");
  for (const [route, handle] of Object.entries(routes)) {
    const [method, pattern] = route.split(" ");
    const params = method === request.method ? match(pattern!, pathname) : undefined;
    if (params !== undefined) return handle({ params, headers: request.headers, body: await bodyOf(request) });
  }
  return { status: 404, body: { error: `no ${request.method} ${pathname}` } };
}

const failure = (error: unknown): Reply => {
  const { message } = error as Error;
  if (!(error instanceof Refused)) console.error(message);
  return { status: error instanceof Refused ? error.status : 503, body: { error: message } };
};

export function serve(routes: Routes, port: number): Server {
  const server = createServer(async (request, response) => {
    const { status, body } = await reply(routes, request).catch(failure);
    // A server that is closing ends when its connections have.
    if (!server.listening) response.shouldKeepAlive = false;
    const isPage = typeof body === "string";
    response.writeHead(status, { "content-type": isPage ? "text/html" : "application/json" });
    response.end(isPage || body instanceof Uint8Array ? body : JSON.stringify(body));
  });
  // Longer than clients keep idle connections, so that none is closed under a request.
  server.keepAliveTimeout = 30_000;
  return server.listen(port);
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attempts?: number;
  /** Milliseconds of one attempt. */
  readonly timeoutMs?: number;
  readonly onFailure?: (error: Error) => void;
}

async function attempt(method: string, url: string, options: CallOptions): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json", ...options.headers },
    signal: AbortSignal.timeout(options.timeoutMs ?? 3000),
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const body: unknown = await response.json();
  const { status } = response;
  if (status >= 500) throw new Error(`${method} ${url}: ${(body as { error?: string }).error ?? status}`);
  return { status, body };
}

/**
 * Sends a request, again when it failed or nothing came back. Only for requests that are safe to repeat, which all of
 * the shop are: the receiver finds by the key in the path that it has done it already.
 */
export async function call(method: string, url: string, options: CallOptions = {}): Promise<Reply> {
  for (let failures = 0; ; ) {
    try {
      return await attempt(method, url, options);
    } catch (error) {
      options.onFailure?.(error as Error);
      if (++failures >= (options.attempts ?? 3)) throw error;
      await sleep(Math.min(1000, 50 * 2 ** failures));
    }
  }
}

/** The body of a successful call. A refusal is passed on. */
export async function demand<T>(method: string, url: string, options: CallOptions = {}): Promise<T> {
  const { status, body } = await call(method, url, options);
  if (status >= 400) throw new Refused(status, (body as { error: string }).error);
  return body as T;
}
