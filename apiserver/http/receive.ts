// A request from the moment its headers are read: who sends it, what it would do, and for how long its sender stays.
import { Readable } from "node:stream";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiError } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { RequestAttributes } from "../authorization/authorize.ts";
import { attributesOf, refusal } from "../authorization/authorization.ts";
import { anonymous, type Envelope, type Identify } from "../authentication/authenticate.ts";
import type { ApiRequest, User } from "../request/request-response.ts";
import { impersonated, isImpersonating } from "../authentication/impersonate.ts";
import { type ResourcePath, resourcePath } from "../request/resource-path.ts";
import { timeoutError } from "../request/timeout.ts";
import { isGone } from "./send.ts";
import type { Trace } from "./trace.ts";

/** What is known of a request before its body is read. */
export interface ReceivedRequest {
  readonly began: number;
  readonly trace: Trace;
  /** By which it is found again in logs, the client's and ours. */
  readonly id: string;
  readonly user: User;
  readonly attributes: RequestAttributes;
  readonly path: string;
  readonly place: ResourcePath | undefined;
  readonly query: URLSearchParams;
  /** The query as it was written, with its question mark, or nothing. */
  readonly search: string;
  /** Why it is turned away, if it is: then nobody reads its body. */
  readonly refused: ApiError | undefined;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Known from the first hook on. */
    received: ReceivedRequest;
  }
}

/** Who a request is made by, and as whom; and why they are turned away, if they are. */
export function admitted(
  known: User | undefined,
  {
    attributes,
    path,
    raw,
  }: Pick<ReceivedRequest, "attributes" | "path"> & { readonly raw: Pick<IncomingMessage, "headers" | "rawHeaders"> },
): Pick<ReceivedRequest, "user" | "refused"> {
  try {
    const user = known && isImpersonating(raw.headers) ? impersonated(known, raw.rawHeaders) : known;
    return { user: user ?? anonymous, refused: refusal(user, attributes, path) };
  } catch (e) {
    return { user: known ?? anonymous, refused: e as ApiError };
  }
}

/** Takes the envelope apart. */
export async function receive(
  from: FastifyRequest,
  { began, id, trace }: Pick<ReceivedRequest, "began" | "id" | "trace">,
  identify: Identify,
): Promise<ReceivedRequest> {
  const known = identify(from.raw as unknown as Envelope);
  const url = from.raw.url!;
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  const search = at < 0 ? "" : url.slice(at);
  const query = new URLSearchParams(search);
  const place = resourcePath(path);
  const attributes = attributesOf(from.method, { path, place }, query);
  // Waiting for what is known already would cost every request.
  const user = known instanceof Promise ? await known : known;
  trace.done("identified");
  const malformed = search === "" ? undefined : timeoutError(query, attributes);
  return {
    began,
    id,
    trace,
    attributes,
    path,
    place,
    query,
    search,
    ...admitted(user, { attributes, path, raw: from.raw }),
    ...(malformed && { refused: malformed }),
  };
}

// Made once: an error with a stack for every request that ends would be dear.
const ended = new Error("the request has ended");

/**
 * The life of a request, as a signal. Most requests are answered before anybody asks, so it is made only when somebody
 * does. A class, as what is below: an accessor in an object literal costs a hidden class for each request, which keeps
 * all the request holds until the next full collection.
 */
export class Life {
  readonly #raw: FastifyReply["raw"];
  readonly #stopping: AbortSignal;
  #gone: AbortController | undefined;
  #off = (): void => {};

  constructor(raw: FastifyReply["raw"], stopping: AbortSignal) {
    this.#raw = raw;
    this.#stopping = stopping;
  }
  get signal(): AbortSignal {
    this.#gone ??= this.#begin();
    return this.#gone.signal;
  }
  end(): void {
    this.#off();
  }
  #begin(): AbortController {
    const life = new AbortController();
    if (isGone(this.#raw)) life.abort(ended);
    this.#raw.once("close", () => life.abort(ended));
    this.#off = onAbort(this.#stopping, () => life.abort(ended));
    return life;
  }
}

/** The request as those behind the door know it. */
export class Opened implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly place: ResourcePath | undefined;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
  readonly upload: Readable | undefined;
  readonly search: string;
  readonly user: User;
  readonly done: Trace["done"];
  readonly #socket: FastifyRequest["socket"];
  readonly #life: Life;

  constructor({ method, headers, body, socket, received }: FastifyRequest, life: Life) {
    this.method = method;
    this.path = received.path;
    this.place = received.place;
    this.query = received.query;
    this.headers = headers;
    this.body = body instanceof Buffer ? body : undefined;
    this.upload = body instanceof Readable ? body : undefined;
    this.search = received.search;
    this.user = received.user;
    this.done = received.trace.done;
    this.#socket = socket;
    this.#life = life;
  }
  get from(): string | undefined {
    return this.#socket.remoteAddress;
  }
  get signal(): AbortSignal {
    return this.#life.signal;
  }
}
