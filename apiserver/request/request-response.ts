// Requests and replies as data, independent of the HTTP library, so that handlers can be tested without sockets.
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { ApiError, statusCodes } from "../../api/errors.ts";
import type { RequestAudit } from "../audit/audit.ts";
import type { User } from "../authorization/authorizer.ts";
import type { ResourcePath } from "./path.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { WritableSubresource } from "../../machinery/client.ts";
import { decodeTerm, type LeaseTerm, termHeader } from "../../machinery/lease-term.ts";
import { type Key, key } from "../../api/meta.ts";
import type { SubresourceDefinition } from "../registry/strategies/table.ts";
import type { Registry, WriteTrace } from "../registry/verbs.ts";

/** A decoded request. The signal aborts when the client disconnects. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** The parsed path, if it names a resource. */
  readonly place: ResourcePath | undefined;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
  /** The body as it arrives, where it is only passed on. */
  readonly upload?: Readable | undefined;
  /** The query as it was written, with its question mark, or nothing. */
  readonly search?: string;
  /** The address of the client. */
  readonly from?: string | undefined;
  readonly user: User;
  readonly signal: AbortSignal;
  /** Records events of this request, if any. */
  readonly audit?: RequestAudit | undefined;
  /** Records the end of a step, for the log entry of a slow request and its span. */
  readonly trace?: WriteTrace;
}
/** The term a write is fenced by, if any. Throws BadRequest. */
export function termIn({ headers }: Pick<ApiRequest, "headers">): LeaseTerm | undefined {
  const term = headers[termHeader];
  return term === undefined ? undefined : decodeTerm(String(term));
}
/** A body in one piece: to put parts together costs less than to have the connection send them one by one. */
export type Body = Buffer | string;

/** A response: a complete body, or a stream that lasts while the client is connected. */
export type ApiReply = WholeReply | StreamReply;
export interface WholeReply {
  readonly status: number;
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}
export interface StreamReply {
  readonly status: number;
  readonly stream: AsyncIterable<Buffer | string>;
  /** Whether its reader has to keep up, and is cut off when it does not; others may take their time. */
  readonly isUrgent?: true;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** Answers whatever its paths are about, or leaves them to others. */
export type Extension = (request: ApiRequest) => Promise<ApiReply | undefined> | ApiReply | undefined;

const json = "application/json";

/** A value as JSON. */
export const reply = (value: unknown, status = 200): WholeReply => ({
  status,
  body: `${JSON.stringify(value)}\n`,
  headers: { "content-type": json },
});
/** A value as indented JSON, for values that are no API objects. */
export const replyLines = (value: unknown, status = 200): WholeReply => ({
  status,
  body: JSON.stringify(value, undefined, 2),
  headers: { "content-type": json },
});
/** Bytes that are JSON already. */
export const replyBytes = (body: Body, status = 200): WholeReply => ({
  status,
  body,
  headers: { "content-type": json },
});

/** An error as `metav1.Status`. Anything but an ApiError is an internal error, whose stack is not shown. */
export function statusOf(e: unknown): { readonly code: number; readonly status: object } {
  const error =
    e instanceof ApiError ? e : new ApiError("InternalError", `Internal error occurred: ${(e as Error).message}`);
  const code = statusCodes[error.reason];
  const { reason, message, details } = error;
  return {
    code,
    status: {
      kind: "Status",
      apiVersion: "v1",
      metadata: error.continue === undefined ? {} : { continue: error.continue },
      status: "Failure",
      message,
      ...(reason !== "Unknown" && { reason }),
      ...(details && { details }),
      code,
    },
  };
}

/** The reply an error becomes. */
export function replyError(e: unknown): WholeReply {
  const { code, status } = statusOf(e);
  const after = e instanceof ApiError ? e.details?.retryAfterSeconds : undefined;
  const response = reply(status, code);
  return after === undefined
    ? response
    : { ...response, headers: { ...response.headers, "retry-after": String(after) } };
}

/** `metav1.Status` for something that went well and has nothing to show. */
export const replySuccess = (details?: object, status = 200): WholeReply =>
  reply({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", ...(details && { details }) }, status);

/** One request to one kind. */
export interface Call {
  readonly registry: Registry;
  readonly r: ResourceDefinition;
  /** The definition of the subresource in the path. */
  readonly subresource?: SubresourceDefinition | undefined;
  readonly path: ResourcePath;
  readonly request: ApiRequest;
}

/** Handles a request to a kind. */
export type Handler = (call: Call) => Promise<ApiReply>;

/** What a call writes to. */
export const targetOf = ({
  r,
  path,
}: Pick<Call, "r" | "path">): { r: ResourceDefinition; key: Key; subresource: WritableSubresource | undefined } => ({
  r,
  key: key(path.namespace, path.name!),
  subresource: path.subresource as WritableSubresource | undefined,
});
