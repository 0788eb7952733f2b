// A request after its headers: user, attributes, authorization, the signal of its client's disconnection, and its
// trace.
import type { Clock } from "../../machinery/world.ts";
import { Readable } from "node:stream";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiError } from "../../api/errors.ts";
import { parseTraceparent } from "../../api/explanation/trace.ts";
import { key } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Tracer } from "../../machinery/trace.ts";
import type { Auditor, RequestAudit } from "../audit/audit.ts";
import type { Authorizer, Decision, RequestInfo, User } from "../authorization/authorizer.ts";
import { accessDenied, unauthorized } from "../registry/refusals.ts";
import type { WriteTrace } from "../registry/verbs.ts";
import { isTraced, type RequestSpan, requestSpan } from "../registry/request-span.ts";
import {
  type ResourcePath,
  isLongRunning,
  isOpen,
  explainedPath,
  tracedPath,
  historyPath,
  monitoredPath,
  requestInfo,
  resourcePath,
  timeoutError,
} from "../request/path.ts";
import {
  type Envelope,
  type Identify,
  anonymous,
  isImpersonating,
  impersonated,
} from "../authentication/authenticate.ts";
import type { ApiRequest } from "../request/request-response.ts";
import { isGone } from "./send.ts";

/** From here on a request is slow. Kubernetes: the same. */
const slowMs = 500;

/** The trace of one request. */
export interface Trace {
  /** Records that a step has ended by now. */
  readonly record: WriteTrace;
  /** What took how long, in order, when all of it together took long. */
  slow(): string | undefined;
}

/** Takes the times of a request that began at this moment. */
export function traceSince(began: number, clock: Clock): Trace {
  const names: string[] = [];
  const times: number[] = [began];
  return {
    record(step) {
      names.push(step);
      times.push(clock.now());
    },
    slow() {
      if (times.at(-1)! - began < slowMs) return undefined;
      return names.map((name, i) => `${name} ${times[i + 1]! - times[i]!} ms`).join(", ");
    },
  };
}

/** What is known of a request before its body is read. */
export interface ReceivedRequest {
  readonly began: number;
  readonly trace: Trace;
  /** The audit id, in the logs of client and server. */
  readonly id: string;
  readonly user: User;
  readonly attributes: RequestInfo;
  readonly path: string;
  readonly place: ResourcePath | undefined;
  readonly query: URLSearchParams;
  /** The query as it was written, with its question mark, or nothing. */
  readonly search: string;
  /** Why it is refused, if it is; its body is not read then. */
  readonly refused: ApiError | undefined;
  /** Set when events of it are recorded. */
  readonly audit: RequestAudit | undefined;
  /** Set while it is traced. */
  readonly span?: RequestSpan;
}

/** Begins the span of a request that is to be traced; its steps go to both. */
export function traced(
  received: ReceivedRequest,
  headers: IncomingHttpHeaders,
  tracer: Tracer | undefined,
): ReceivedRequest {
  const { attributes, trace, user } = received;
  const { verb, group = "", resource, subresource, namespace, name } = attributes;
  if (!tracer || resource === undefined) return received;
  const parent = parseTraceparent(headers["traceparent"]);
  const request = {
    ...{ verb, resource: { group, plural: resource }, subresource, user: user.name },
    key: name === undefined ? undefined : key(namespace, name),
  };
  if (!isTraced(request, parent)) return received;
  const span = requestSpan(tracer, { ...request, at: received.began }, parent);
  const record = (step: string): void => {
    trace.record(step);
    span.trace(step);
  };
  return { ...received, span, trace: { ...trace, record: Object.assign(record, span.trace) } };
}

declare module "fastify" {
  interface FastifyRequest {
    /** Known from the first hook on. */
    received: ReceivedRequest;
  }
}

/** What is known of a request before it is authorized. */
type Arriving = Pick<ReceivedRequest, "attributes" | "path"> & Partial<Pick<ReceivedRequest, "audit">>;
/** The user a request is made as, and why it is refused, if it is. */
type Access = Pick<ReceivedRequest, "user" | "refused">;

function authorize(
  user: User | undefined,
  { attributes, path, audit }: Arriving,
  authorizer: Authorizer,
): Access | Promise<Access> {
  if (!user) return { user: anonymous, refused: unauthorized() };
  const by = { ...attributes, user };
  const accessAfter = (decision: Decision): Access => {
    audit?.authorized(decision);
    return { user, refused: decision.allowed ? undefined : accessDenied(by, decision.reason) };
  };
  if (isOpen(path)) return accessAfter({ allowed: true });
  const decision = authorizer.decide(by);
  return decision instanceof Promise
    ? decision.then(accessAfter, (e: unknown) => ({ user, refused: e as ApiError }))
    : accessAfter(decision);
}

/** Impersonates if the headers request it, and authorizes. A promise only if the authorizer returns one. */
export function accessOf(
  known: User | undefined,
  request: Arriving & {
    readonly raw: Pick<IncomingMessage, "headers" | "rawHeaders">;
  },
  authorizer: Authorizer,
): Access | Promise<Access> {
  const { headers, rawHeaders } = request.raw;
  if (!known || !isImpersonating(headers)) return authorize(known, request, authorizer);
  return impersonated(known, rawHeaders, authorizer)
    .then((user) => {
      request.audit?.impersonates(user);
      return authorize(user, request, authorizer);
    })
    .catch((e: unknown) => ({ user: known, refused: e as ApiError }));
}

/** Who reads a request first. */
export interface Receiving {
  readonly identify: Identify;
  readonly authorizer: Authorizer;
  /** Left out where nothing is audited. */
  readonly auditor?: Auditor | undefined;
}

/** Takes the envelope apart. */
export async function receive(
  from: FastifyRequest,
  { began, id, trace }: Pick<ReceivedRequest, "began" | "id" | "trace">,
  { identify, authorizer, auditor }: Receiving,
): Promise<ReceivedRequest> {
  const known = identify(from.raw as unknown as Envelope);
  const url = from.raw.url!;
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  const search = at < 0 ? "" : url.slice(at);
  const query = new URLSearchParams(search);
  const place = resourcePath(path);
  // Whoever may read an object may have it explained, may see its trace and its figures, and may read its past.
  const explained = explainedPath(path) ?? tracedPath(path) ?? historyPath(path) ?? monitoredPath(path);
  const target = explained === undefined ? place : resourcePath(explained);
  const attributes = requestInfo(from.method, { path, place: target }, query);
  // Waiting for what is known already would cost every request.
  const user = known instanceof Promise ? await known : known;
  trace.record("identified");
  const malformed = search === "" ? undefined : timeoutError(query, attributes);
  const { headers, socket } = from;
  const audit = auditor?.({
    id,
    began,
    attributes,
    url,
    headers,
    remoteAddress: socket.remoteAddress,
    user,
    isLongRunning: isLongRunning(attributes),
  });
  const access = accessOf(user, { attributes, path, raw: from.raw, audit }, authorizer);
  const { user: actor, refused } = access instanceof Promise ? await access : access;
  return {
    began,
    id,
    trace,
    attributes,
    path,
    place,
    query,
    search,
    user: actor,
    refused: malformed ?? refused,
    audit,
  };
}

// Shared: an error with a stack for every request that ends would be expensive.
const ended = new Error("the request has ended");

/**
 * The lifetime of a request as a signal, which is created on first use: most requests need none. A class, like the one
 * below: an accessor in an object literal costs a hidden class per request, which retains all the request holds until
 * the next full collection.
 */
export class RequestLifetime {
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
    const lifetime = new AbortController();
    if (isGone(this.#raw)) lifetime.abort(ended);
    this.#raw.once("close", () => lifetime.abort(ended));
    this.#off = onAbort(this.#stopping, () => lifetime.abort(ended));
    return lifetime;
  }
}

/** The request as handlers see it. */
export class HttpRequest implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly place: ResourcePath | undefined;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
  readonly upload: Readable | undefined;
  readonly search: string;
  readonly user: User;
  readonly trace: Trace["record"];
  readonly audit: RequestAudit | undefined;
  readonly #socket: FastifyRequest["socket"];
  readonly #lifetime: RequestLifetime;

  constructor({ method, headers, body, socket, received }: FastifyRequest, lifetime: RequestLifetime) {
    this.method = method;
    this.path = received.path;
    this.place = received.place;
    this.query = received.query;
    this.headers = headers;
    this.body = body instanceof Buffer ? body : undefined;
    this.upload = body instanceof Readable ? body : undefined;
    this.search = received.search;
    this.user = received.user;
    this.trace = received.trace.record;
    this.audit = received.audit;
    this.#socket = socket;
    this.#lifetime = lifetime;
  }
  get from(): string | undefined {
    return this.#socket.remoteAddress;
  }
  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }
}
