// One connection from the command line to the API server: requests answered whole, watches line by line, errors as
// Status.
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { ApiError, type ErrorDetails, type ErrorReason } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import { CliError } from "../cli-error.ts";
import { type ApiAccess, readAccess } from "../cluster/api-access.ts";

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}
export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  /** What the server wants its caller to know although it did what was asked. */
  readonly warnings: readonly string[];
}
export interface Connection {
  readonly access: ApiAccess;
  /** Throws ApiError when the server refuses. */
  ask<T>(ask: Ask): Promise<Answer<T>>;
  /** The pieces of an answer as they come, until it ends or the signal aborts. */
  stream(ask: Ask, signal: AbortSignal): AsyncIterable<Buffer>;
}

interface Status {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: ErrorDetails;
}

/** Refusals come as Status; what comes as anything else was not said by an API server. */
function refusal(status: number, text: string): ApiError {
  try {
    const said = JSON.parse(text) as Status;
    if (said.kind === "Status")
      return new ApiError(
        (said.reason ?? "InternalError") as ErrorReason,
        said.message ?? `status ${status}`,
        said.details,
      );
  } catch {
    // Not JSON: said below.
  }
  return new ApiError("InternalError", `the server answered with status ${status}: ${text.slice(0, 200)}`);
}

/** `299 - "text"`, as RFC 7234 writes warnings; several may share one header. */
const warningsOf = (header: string | undefined): readonly string[] =>
  [...(header ?? "").matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replaceAll(/\\(.)/g, "$1"));

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function connection(access: ApiAccess): Connection {
  const agent = new Agent({ ca: access.ca, cert: access.cert, key: access.key, keepAlive: true });
  const send = ({
    method = "GET",
    path,
    body,
    contentType = "application/json",
    accept = "application/json",
  }: Ask): { readonly call: ClientRequest; readonly response: Promise<IncomingMessage> } => {
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
    // Without its length the body of a DELETE would be taken for the next request.
    const about = bytes ? { "content-type": contentType, "content-length": bytes.length } : {};
    const headers = { accept, "user-agent": "orrery", ...about };
    const call = request(new URL(path, access.server), { method, agent, headers });
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      call.on("response", resolve);
      call.on("error", (e) =>
        reject(
          new CliError(
            `the API server at ${access.server} cannot be reached: ${e.message}`,
            "See how the cluster is with: orrery status",
          ),
        ),
      );
    });
    call.end(bytes);
    return { call, response };
  };
  return {
    access,
    async ask<T>(ask: Ask): Promise<Answer<T>> {
      const response = await send(ask).response;
      const text = await textOf(response);
      const status = response.statusCode ?? 0;
      if (status >= 400) throw refusal(status, text);
      const json = response.headers["content-type"]?.includes("json") === true;
      return {
        status,
        body: (json ? JSON.parse(text) : text) as T,
        warnings: warningsOf(response.headers["warning"] as string | undefined),
      };
    },
    async *stream(ask, signal) {
      const { call, response } = send(ask);
      const off = onAbort(signal, () => call.destroy());
      try {
        const begun = await response;
        if ((begun.statusCode ?? 0) >= 400) throw refusal(begun.statusCode ?? 0, await textOf(begun));
        for await (const chunk of begun) yield chunk as Buffer;
      } catch (e) {
        if (!signal.aborted) throw e;
      } finally {
        off();
        call.destroy();
      }
    },
  };
}

/** A connection to the cluster of this name. */
export const connect = async (cluster: string): Promise<Connection> => connection(await readAccess(cluster));

/** The lines of a stream, each parsed as JSON. */
export async function* jsonLines<T>(pieces: AsyncIterable<Buffer>): AsyncIterable<T> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
  }
}
