// The client over HTTP: the same contract as the in-process one, in paths, queries, bodies and errors.
import { pods } from "../api/core/pods.ts";
import { ApiError, type ErrorReason, statusCodes, assert } from "../api/errors.ts";
import { formatTraceparent, parseTraceparent, type SpanContext } from "../api/explanation/trace.ts";
import { apiVersionOf, type ResourceDefinition } from "../api/kinds.ts";
import { customMetrics, externalMetrics, type MetricQuery, type MetricValue } from "../api/metrics/values.ts";
import { type ApiObject, revisionOf, type DraftMeta, type Key, keyOf, revision, splitKey } from "../api/meta.ts";
import type { Patch, Selection, WatchEvent, WritableSubresource, Client, ListOptions } from "./client.ts";
import { frozen } from "./frozen.ts";
import { encodeTerm, type LeaseTerm, termHeader } from "./lease-term.ts";
import {
  type HttpReply,
  type HttpRequest,
  type Following,
  type HttpSession,
  httpSession,
  type ServerAccess,
} from "./http-session.ts";
import type { ClientMetrics } from "./counters.ts";
import type { Tracer } from "./trace.ts";
import type { World } from "./world.ts";

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: ApiError["details"];
}
function errorOf({ reason, message = "the server gave no reason", code = 500, details }: Status): ApiError {
  const known = reason !== undefined && reason in statusCodes;
  const byCode =
    Object.entries(statusCodes).find(([, c]) => c === code)?.[0] ?? (code >= 500 ? "InternalError" : "BadRequest");
  return new ApiError((known ? reason : byCode) as ErrorReason, message, details);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy cut the response short: the request may have taken effect.
    throw new ApiError("ServiceUnavailable", "the server's response is incomplete");
  }
}

/** The decoded response, or the error its Status carries. */
function value({ status, body }: HttpReply): unknown {
  const response = parsed(body.toString("utf8"));
  if (status < 200 || status > 299) throw errorOf({ code: status, ...(response as Status) });
  return frozen(response);
}

/** The part of a definition that paths are made of. */
type Named = Pick<ResourceDefinition, "group" | "version" | "plural">;

/** The path of a collection, an object, or a subresource. */
export function pathOf(
  r: Named,
  at: { readonly namespace?: string; readonly name?: string; readonly part?: string },
): string {
  const root = r.group === "" ? `/api/${r.version}` : `/apis/${apiVersionOf(r)}`;
  const inside = at.namespace === undefined ? "" : `/namespaces/${encodeURIComponent(at.namespace)}`;
  const name = at.name === undefined ? "" : `/${encodeURIComponent(at.name)}`;
  return `${root}${inside}/${r.plural}${name}${at.part === undefined ? "" : `/${at.part}`}`;
}

/** The query string of the values that are set. */
export function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const set = Object.entries(values).filter(([, v]) => v !== undefined && v !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set.map(([k, v]) => [k, String(v)]))}`;
}
/** The query parameters of a selection. */
const selectors = ({ labelSelector, fieldSelector }: Selection): Record<string, string | undefined> => ({
  labelSelector,
  fieldSelector,
});

/** The path of a metric: a subresource of what it describes; of a namespace, or external, a resource of its own. */
function metricPath({ namespace, metric, metricSelector, described }: MetricQuery): string {
  if (!described)
    return pathOf({ ...externalMetrics, plural: metric }, { namespace }) + query({ labelSelector: metricSelector });
  const { resource: plural, name = "*", labelSelector } = described;
  const r = { ...customMetrics, plural: plural === "namespaces" ? "metrics" : plural };
  const at = plural === "namespaces" ? { namespace, name: metric } : { namespace, name, part: metric };
  return pathOf(r, at) + query({ labelSelector, metricLabelSelector: metricSelector });
}
/** A value as either API writes it. */
type WireValue = MetricValue & { readonly metricLabels?: MetricValue["labels"]; readonly window?: number };
const metricValue = ({ describedObject, metricLabels, timestamp, value, ...v }: WireValue): MetricValue => {
  const windowSeconds = v.windowSeconds ?? v.window;
  return {
    ...(describedObject && { describedObject }),
    ...(metricLabels && { labels: metricLabels }),
    ...{ timestamp, value },
    ...(windowSeconds !== undefined && { windowSeconds }),
  };
};

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** The request that sends a patch to this path. */
export function patchRequest(path: string, patch: Patch): HttpRequest {
  const contentType = patchTypes[patch.type];
  const body = patch.type === "json" ? patch.operations : patch.type === "apply" ? patch.object : patch.patch;
  const apply = patch.type === "apply" ? { fieldManager: patch.fieldManager, force: patch.force } : {};
  return { method: "PATCH", path: path + query({ ...apply, fieldValidation: "Ignore" }), body, contentType };
}

/** Splits a stream into lines. */
export async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString("utf8");
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}

/** Decodes one line of a watch. The span behind the change, if the line has one, is remembered. */
function watchEvent<T extends ApiObject>(line: string, tracer: Tracer | undefined): WatchEvent<T> {
  const { type, object, traceparent } = parsed(line) as {
    readonly type: string;
    readonly object: T;
    readonly traceparent?: string;
  };
  const span = tracer && parseTraceparent(traceparent);
  if (span) tracer.caused(revisionOf(object), span);
  if (type === "ERROR") throw errorOf(object as Status);
  if (type === "BOOKMARK") return { type: "progress", revision: revisionOf(object) };
  return { type: type === "DELETED" ? "deleted" : "applied", object: frozen(object), revision: revisionOf(object) };
}

/** The request that writes a subresource of an object. */
function partRequest(r: Named, object: ApiObject, part: WritableSubresource): HttpRequest {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const path = pathOf(r, { namespace, name, part });
  const metadata = { name, namespace, uid };
  const spec = (object as { readonly spec?: { readonly replicas?: number; readonly nodeName?: string } }).spec ?? {};
  if (part === "scale") {
    const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { ...metadata, resourceVersion } };
    return { method: "PUT", path, body: { ...scale, spec: { replicas: spec.replicas } } };
  }
  if (part === "binding") {
    const target = { apiVersion: "v1", kind: "Node", name: spec.nodeName };
    return { method: "POST", path, body: { apiVersion: "v1", kind: "Binding", metadata, target } };
  }
  return { method: "PUT", path, body: object };
}

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly ApiObject[];
}

/** Shortest time between two bookmarks. Waiting to read one's own writes takes that long where nothing else changes. */
const progressMs = 100;

async function* watched<T extends ApiObject>(
  session: HttpSession,
  path: string,
  tracer: Tracer | undefined,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  if (signal.aborted) return;
  let stream: Following["stream"] | undefined;
  try {
    const following = await session.follow(path, signal);
    stream = following.stream;
    const { status } = following;
    if (status !== 200) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      value({ status, revision: undefined, body: Buffer.concat(chunks) });
    }
    for await (const line of lines(stream)) yield watchEvent<T>(line, tracer);
  } catch (e) {
    if (signal.aborted) return;
    throw e instanceof ApiError
      ? e
      : new ApiError("ServiceUnavailable", `the watch broke off: ${(e as Error).message}`);
  } finally {
    stream?.destroy();
  }
}

/** Field validation is off: what is sent here comes from typed values. */
const unchecked = query({ fieldValidation: "Ignore" });

/** Where an object is created: in its collection, or as a subresource of another object. */
const creationPath = (
  r: Pick<ResourceDefinition, "group" | "version" | "plural" | "subresourceOf">,
  at: DraftMeta,
): string =>
  r.subresourceOf
    ? pathOf(r.subresourceOf.of, { namespace: at.namespace, name: at.name, part: r.subresourceOf.subresource })
    : pathOf(r, { namespace: at.namespace });

/** Sends one request and decodes its response. */
type Ask = <T>(request: HttpRequest) => Promise<T>;
const getBy = <T extends ApiObject>(ask: Ask, r: ResourceDefinition<T>, key: Key): Promise<T> =>
  ask({ method: "GET", path: pathOf(r, splitKey(key)) });

async function updateBy<T extends ApiObject>(
  ask: Ask,
  r: ResourceDefinition<T>,
  object: T,
  part?: WritableSubresource,
): Promise<T> {
  if (!object.metadata.resourceVersion)
    throw new ApiError("Invalid", `metadata.resourceVersion: Invalid value: "": must be specified for an update`);
  if (part === undefined)
    return ask({ method: "PUT", path: pathOf(r, splitKey(keyOf(object))) + unchecked, body: object });
  const response = await ask<T>(partRequest(r, object, part));
  // The responses to these two are of another kind than the object.
  return part === "scale" || part === "binding" ? getBy(ask, r, keyOf(object)) : response;
}

/** The same session; requests and the beginnings of watches are counted. */
function measured(session: HttpSession, { clock }: World, metrics: ClientMetrics | undefined): HttpSession {
  if (!metrics) return session;
  const counted = async <T extends { readonly status: number }>(method: string, response: Promise<T>): Promise<T> => {
    const began = clock.now();
    const status = await response.then(
      (r) => r.status,
      () => undefined,
    );
    metrics.requested(method, status, clock.now() - began);
    return response;
  };
  return {
    ask: (request) => counted(request.method, session.ask(request)),
    follow: (path, stop) => counted("GET", session.follow(path, stop)),
  };
}

/** A client whose requests travel over one connection; it ends with the signal. */
export function httpClient(access: ServerAccess, world: World, signal: AbortSignal, metrics?: ClientMetrics): Client {
  return clientOver(measured(httpSession(access, world, signal), world, metrics), world.tracer);
}

/** The same session, whose requests carry a header. */
const withHeader = (session: HttpSession, header: string, text: string): HttpSession => ({
  ...session,
  ask: (request) => session.ask({ ...request, headers: { ...request.headers, [header]: text } }),
});
const inTerm = (session: HttpSession, term: LeaseTerm): HttpSession =>
  withHeader(session, termHeader, encodeTerm(term));
const inSpan = (session: HttpSession, span: SpanContext): HttpSession =>
  withHeader(session, "traceparent", formatTraceparent(span));

function clientOver(session: HttpSession, tracer: Tracer | undefined): Client {
  const ask: Ask = async <T>(request: HttpRequest) => value(await session.ask(request)) as T;
  return {
    get: (r, key) => getBy(ask, r, key),
    scale: (r, key) => ask({ method: "GET", path: pathOf(r, { ...splitKey(key), part: "scale" }) }),
    async list<T extends ApiObject>(r: ResourceDefinition<T>, options: ListOptions = {}) {
      const { namespace, limit, continue: next } = options;
      const path = pathOf(r, { namespace }) + query({ ...selectors(options), limit, continue: next });
      const { metadata, items } = await ask<List>({ method: "GET", path });
      const more = metadata.continue;
      return {
        items: items as readonly T[],
        revision: revision(Number(metadata.resourceVersion)),
        ...(more && { next: more }),
      };
    },
    async metricValues(metric) {
      const { items } = await ask<{ readonly items: readonly WireValue[] }>({
        method: "GET",
        path: metricPath(metric),
      });
      return items.map(metricValue);
    },
    create(r, draft) {
      const body = { ...draft, apiVersion: apiVersionOf(r), kind: r.kind };
      return ask({ method: "POST", path: creationPath(r, draft.metadata) + unchecked, body });
    },
    update: (r, object, part) => updateBy(ask, r, object, part),
    async patch<T extends ApiObject>(r: ResourceDefinition<T>, key: Key, patch: Patch, part?: WritableSubresource) {
      const response = await ask<T>(patchRequest(pathOf(r, { ...splitKey(key), ...(part && { part }) }), patch));
      return part === "scale" ? getBy(ask, r, key) : response;
    },
    async delete(r, key, options = {}) {
      const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options;
      const preconditions = { uid, resourceVersion };
      const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds, propagationPolicy, preconditions };
      const reply = await session.ask({ method: "DELETE", path: pathOf(r, splitKey(key)), body });
      value(reply);
      assert(reply.revision !== undefined, "the server says at which revision it deleted");
      return revision(Number(reply.revision));
    },
    async evict(key, { uid, resourceVersion, gracePeriodSeconds } = {}) {
      const deleteOptions = { gracePeriodSeconds, preconditions: { uid, resourceVersion } };
      const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: splitKey(key), deleteOptions };
      await ask({ method: "POST", path: pathOf(pods, { ...splitKey(key), part: "eviction" }), body });
    },
    watch(r, options, stop) {
      const { namespace, from } = options;
      const bookmarks = { allowWatchBookmarks: true, bookmarkMilliseconds: progressMs };
      const watching = { watch: true, ...bookmarks, resourceVersion: from, ...(tracer && { traceparents: true }) };
      return watched(session, pathOf(r, { namespace }) + query({ ...selectors(options), ...watching }), tracer, stop);
    },
    async revision(kind) {
      const path = kind ? pathOf(kind, {}) : "/api/v1/namespaces";
      const { metadata } = await ask<List>({ method: "GET", path: `${path}?limit=1` });
      return revision(Number(metadata.resourceVersion));
    },
    inTerm: (term) => clientOver(inTerm(session, term), tracer),
    asController: () => clientOver(session, tracer),
    inSpan: (span) => clientOver(inSpan(session, span), tracer),
  };
}
