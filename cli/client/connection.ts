// The connection of a command to an API server: single requests, streamed responses, errors as ApiError.
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { ApiError, type ErrorDetails, type ErrorReason } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import { CliError } from "../cli-error.ts";
import { secureContext } from "./authorities.ts";

/** The server's URL, its authority, and the client's credentials; certificates and keys as PEM text. */
export interface ApiAccess {
  readonly server: string;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly serverName?: string | undefined;
  /** Headers of every request: credentials and impersonation. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** How long the connection may be idle; unlimited by default. */
  readonly timeoutMs?: number | undefined;
}
export interface ApiResponse<T> {
  readonly body: T;
  /** Texts of the `Warning` headers. */
  readonly warnings: readonly string[];
}
/** Observes requests, to print them. */
export interface Observer {
  sent(request: ApiRequest, headers: OutgoingHttpHeaders, body: string | undefined): void;
  /** When the response has begun. */
  answered(request: ApiRequest, response: IncomingMessage, milliseconds: number): void;
  /** The whole body, unless it is streamed. */
  received(body: string): void;
}
export interface ConnectionOptions {
  /** How long a request may take; unlimited by default. Watches and followed logs end then. */
  readonly timeoutMs?: number;
  readonly onWarning?: (text: string) => void;
  readonly observer?: Observer;
}
export interface Connection {
  readonly access: ApiAccess;
  /** Throws ApiError when the server refuses, CliError when it cannot be reached. */
  request<T>(request: ApiRequest): Promise<ApiResponse<T>>;
  /** The body of a GET. */
  get<T>(path: string): Promise<T>;
  /** The items of a list. */
  list<T>(path: string): Promise<readonly T[]>;
  /** Chunks of the response body, until it ends or the signal aborts. */
  stream(request: ApiRequest, signal: AbortSignal): AsyncIterable<Buffer>;
}

interface Status {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: ErrorDetails;
}

/** The error of a failed response: a Status object, or any text from a server that is not an API server. */
export function errorFrom(statusCode: number, text: string): ApiError {
  try {
    const { kind, reason, message, details } = JSON.parse(text) as Status;
    if (kind === "Status")
      return new ApiError((reason || "Unknown") as ErrorReason, message ?? `status ${statusCode}`, details);
  } catch {
    // Not JSON.
  }
  if (statusCode === 404) return new ApiError("NotFound", "the server could not find the requested resource");
  return new ApiError("InternalError", `the server answered with status ${statusCode}: ${text.slice(0, 200)}`);
}

/** `299 - "text"` (RFC 7234); a header may contain several. */
const warningsOf = (header: string | undefined): readonly string[] =>
  [...(header ?? "").matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replaceAll(/\\(.)/g, "$1"));

/** The whole of a stream as text. */
export async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** The options of TLS, for requests and WebSockets. */
export const tlsOptions = ({ server, ca, cert, key, insecure, serverName }: ApiAccess) => ({
  ...(server.startsWith("https:") && { secureContext: secureContext({ ca, cert, key, insecure }) }),
  ...(insecure && { rejectUnauthorized: false }),
  ...(serverName && { servername: serverName }),
});

/** The error of a connection that failed, in kubectl's words. */
export function unreachable({ server }: ApiAccess, error: NodeJS.ErrnoException): CliError {
  const { host, protocol } = new URL(server);
  const target = /:\d+$/.test(host) ? host : `${host}:${protocol === "https:" ? 443 : 80}`;
  const message =
    error.code === "ECONNREFUSED"
      ? `The connection to the server ${target} was refused - did you specify the right host or port?`
      : `Unable to connect to the server: ${error.message}`;
  return new CliError(message, undefined, { isBare: true });
}

type Http = Pick<typeof import("node:https"), "request"> & { readonly Agent: new (options: object) => Agent };

/**
 * The module of the server's protocol. An import statement would read all exports of node:http, whose WebSocket loads
 * loading of fetch in Node.js, which takes 30 ms.
 */
export const httpOf = ({ server }: ApiAccess): Http =>
  server.startsWith("https:") ? process.getBuiltinModule("node:https") : process.getBuiltinModule("node:http");

interface Channel {
  readonly access: ApiAccess;
  readonly http: Http;
  readonly agent: Agent;
  readonly observer: Observer | undefined;
}
interface SentRequest {
  readonly call: ClientRequest;
  readonly response: Promise<IncomingMessage>;
}

function send({ access, http, agent, observer }: Channel, apiRequest: ApiRequest): SentRequest {
  const { method = "GET", path, body, contentType = "application/json", accept = "application/json" } = apiRequest;
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  // Without a length, Node sends the body of a DELETE as if it were the next request.
  const bodyHeaders = bytes ? { "content-type": contentType, "content-length": bytes.length } : {};
  const headers = { accept, "user-agent": "orrery", ...access.headers, ...bodyHeaders };
  // The path of the server's URL is a prefix, as for clusters behind a gateway.
  const url = new URL(access.server.replace(/\/$/, "") + path);
  observer?.sent(apiRequest, headers, bytes?.toString("utf8"));
  const startedAt = process.hrtime.bigint();
  const call = http.request(url, { method, agent, headers, timeout: apiRequest.timeoutMs });
  call.on("timeout", () => call.destroy(new Error("no answer in time")));
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    call.on("response", (message) => {
      observer?.answered(apiRequest, message, Number((process.hrtime.bigint() - startedAt) / 1_000_000n));
      resolve(message);
    });
    call.on("error", (error) => reject(unreachable(access, error)));
  });
  call.end(bytes);
  return { call, response };
}

/** A connection with this access. Idle sockets are kept open, but do not keep the process alive. */
export function connection(access: ApiAccess, options: ConnectionOptions = {}): Connection {
  const http = httpOf(access);
  const agent = new http.Agent({ ...tlsOptions(access), keepAlive: true });
  const channel = { access, http, agent, observer: options.observer };
  const request = async <T>(apiRequest: ApiRequest): Promise<ApiResponse<T>> => {
    const response = await send(channel, { timeoutMs: options.timeoutMs, ...apiRequest }).response;
    const text = await textOf(response);
    options.observer?.received(text);
    const status = response.statusCode ?? 0;
    const warnings = warningsOf(response.headers["warning"] as string | undefined);
    for (const warning of warnings) options.onWarning?.(warning);
    if (status >= 400) throw errorFrom(status, text);
    const isJson = response.headers["content-type"]?.includes("json") === true;
    return { body: (isJson ? JSON.parse(text) : text) as T, warnings };
  };
  return {
    access,
    request,
    get: async <T>(path: string) => (await request<T>({ path })).body,
    list: async <T>(path: string) => (await request<{ readonly items: readonly T[] }>({ path })).body.items,
    async *stream(apiRequest, signal) {
      const { timeoutMs } = options;
      const end = timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const { call, response } = send(channel, apiRequest);
      const off = onAbort(end, () => call.destroy());
      try {
        const started = await response;
        const status = started.statusCode ?? 0;
        if (status >= 400) throw errorFrom(status, await textOf(started));
        for await (const chunk of started) yield chunk as Buffer;
      } catch (e) {
        if (!end.aborted) throw e;
      } finally {
        off();
        call.destroy();
      }
    },
  };
}

/** Parses newline-delimited JSON, such as the events of a watch. */
export async function* jsonLines<T>(chunks: AsyncIterable<Buffer>): AsyncIterable<T> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
  }
}
