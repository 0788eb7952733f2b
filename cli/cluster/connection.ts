// Connects to a cluster's API server with its kubeconfig: single requests, streamed responses, errors as ApiError.
import { readFile } from "node:fs/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { parse } from "yaml";
import { ApiError, type ErrorDetails, type ErrorReason } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import { CliError } from "../cli-error.ts";
import { kubeconfigPath } from "./paths.ts";

/** The server's URL, its authority and the client's credentials, as PEM text. */
export interface ApiAccess {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

const plain = (base64: string | undefined): string => Buffer.from(base64 ?? "", "base64").toString();

/** Parses a kubeconfig written by `up`: one cluster, one user, embedded certificates. */
export const accessFrom = (text: string): ApiAccess => {
  const config = parse(text) as Kubeconfig;
  const { cluster } = config.clusters[0]!;
  const { user } = config.users[0]!;
  return {
    server: cluster["server"]!,
    ca: plain(cluster["certificate-authority-data"]),
    cert: plain(user["client-certificate-data"]),
    key: plain(user["client-key-data"]),
  };
};

/** The `--name` option that selects a cluster in suggested commands; empty for the default cluster. */
export const nameOption = (cluster: string): string => (cluster === "orrery" ? "" : ` --name ${cluster}`);

/** Reads the access of a cluster by name. Throws CliError when there is no such cluster. */
export const readAccess = async (cluster: string): Promise<ApiAccess> => {
  const text = await readFile(kubeconfigPath(cluster), "utf8").catch(() => undefined);
  if (text !== undefined) return accessFrom(text);
  throw new CliError(`there is no cluster named "${cluster}"`, `Start it with: orrery up${nameOption(cluster)}`);
};

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** How long the connection may be idle; unlimited by default. */
  readonly timeoutMs?: number;
}
export interface ApiResponse<T> {
  readonly body: T;
  /** Texts of the `Warning` headers. */
  readonly warnings: readonly string[];
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
      return new ApiError((reason ?? "InternalError") as ErrorReason, message ?? `status ${statusCode}`, details);
  } catch {
    // Not JSON.
  }
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

interface SentRequest {
  readonly call: ClientRequest;
  readonly response: Promise<IncomingMessage>;
}

function send({ server }: ApiAccess, agent: Agent, apiRequest: ApiRequest): SentRequest {
  const { method = "GET", path, body, contentType = "application/json", accept = "application/json" } = apiRequest;
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  // Without a length, Node sends the body of a DELETE as if it were the next request.
  const bodyHeaders = bytes ? { "content-type": contentType, "content-length": bytes.length } : {};
  const headers = { accept, "user-agent": "orrery", ...bodyHeaders };
  const call = httpsRequest(new URL(path, server), { method, agent, headers, timeout: apiRequest.timeoutMs });
  call.on("timeout", () => call.destroy(new Error("no answer in time")));
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    call.on("response", resolve);
    call.on("error", (e) =>
      reject(
        new CliError(
          `the API server at ${server} cannot be reached: ${e.message}`,
          "See how the cluster is with: orrery status",
        ),
      ),
    );
  });
  call.end(bytes);
  return { call, response };
}

/** A connection with this access. Idle sockets are kept open, but do not keep the process alive. */
export function connection(access: ApiAccess): Connection {
  const agent = new Agent({ ca: access.ca, cert: access.cert, key: access.key, keepAlive: true });
  const request = async <T>(apiRequest: ApiRequest): Promise<ApiResponse<T>> => {
    const response = await send(access, agent, apiRequest).response;
    const text = await textOf(response);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw errorFrom(status, text);
    const isJson = response.headers["content-type"]?.includes("json") === true;
    const warnings = warningsOf(response.headers["warning"] as string | undefined);
    return { body: (isJson ? JSON.parse(text) : text) as T, warnings };
  };
  return {
    access,
    request,
    get: async <T>(path: string) => (await request<T>({ path })).body,
    list: async <T>(path: string) => (await request<{ readonly items: readonly T[] }>({ path })).body.items,
    async *stream(apiRequest, signal) {
      const { call, response } = send(access, agent, apiRequest);
      const off = onAbort(signal, () => call.destroy());
      try {
        const started = await response;
        const status = started.statusCode ?? 0;
        if (status >= 400) throw errorFrom(status, await textOf(started));
        for await (const chunk of started) yield chunk as Buffer;
      } catch (e) {
        if (!signal.aborted) throw e;
      } finally {
        off();
        call.destroy();
      }
    },
  };
}

/** A connection to a cluster by name. */
export const connect = async (cluster: string): Promise<Connection> => connection(await readAccess(cluster));

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
