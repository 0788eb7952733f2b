// A Client for components in the server's process: the registry's verbs with objects instead of bytes.
import { pods } from "../../api/core/pods.ts";
import { ApiError } from "../../api/errors.ts";
import { type TokenRequest, tokenRequests } from "../../api/authentication/tokenrequests.ts";
import type { Scale } from "../../api/generated/types.ts";
import type { SpanContext } from "../../api/explanation/trace.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Key, keyOf, splitKey } from "../../api/meta.ts";
import type {
  Client,
  ListOptions,
  Selection,
  WatchEvent,
  WatchOptions,
  WritableSubresource,
} from "../../machinery/client.ts";
import type { LeaseTerm } from "../../machinery/lease-term.ts";
import { objectAt, objectOf } from "./codec.ts";
import { evict } from "./eviction.ts";
import { objectsOf, type StoredEvent } from "./listing.ts";
import { scaleOf, subresourceOf } from "./strategies/table.ts";
import { patched } from "./patching.ts";
import { nowhere } from "./refusals.ts";
import { authorizedClient, type InProcessIdentity } from "./authorized-client.ts";
import { isTraced, requestSpan } from "./request-span.ts";
import type { Registry, WriteOptions } from "./verbs.ts";

function eventOf<T extends ApiObject>(event: StoredEvent): WatchEvent<T> {
  if (event.type === "PROGRESS") return { type: "progress", revision: event.revision };
  const { stored, revision } = event;
  if (event.type === "DELETED") return { type: "deleted", object: objectAt<T>(stored, revision), revision };
  return { type: "applied", object: objectOf<T>(stored), revision };
}

/** Maps every item. Written out, because each generator in a chain costs every item several promises. */
function mapped<A, B>(items: AsyncIterable<A>, map: (item: A) => B): AsyncIterable<B> {
  return {
    [Symbol.asyncIterator]() {
      const source = items[Symbol.asyncIterator]();
      const result = (read: IteratorResult<A>): IteratorResult<B> =>
        read.done ? { done: true, value: undefined } : { done: false, value: map(read.value) };
      return {
        next: () => source.next().then(result),
        async return() {
          await source.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** The source of virtual kinds, which are computed on request and not stored. */
export interface Measured {
  list(r: ResourceDefinition, selection: Selection): Promise<readonly ApiObject[]>;
  get(r: ResourceDefinition, namespace: string | undefined, name: string): Promise<ApiObject>;
}

/** Options of a client in this process. */
export interface InProcessOptions {
  readonly measured?: Measured;
  /** Answers a request for the values of a metric. */
  readonly metricValues?: Client["metricValues"];
  /** Answers a request for a token. */
  readonly issue?: (request: Draft<TokenRequest>) => Promise<TokenRequest>;
  /** Answers a review of access. */
  readonly review?: (r: ResourceDefinition, request: Draft<ApiObject>) => Promise<ApiObject>;
  /** Its field manager. Without one its writes are not tracked, which is faster. */
  readonly manager?: string;
  /** Its writes are committed only in this term. */
  readonly term?: LeaseTerm;
  /** The span that causes its requests. */
  readonly cause?: SpanContext;
  /** Who it acts as; without one it is the server itself, which may do everything. */
  readonly identity?: InProcessIdentity;
}

/** A client of a component in this process. What its identity may not do is refused as over HTTP. */
export function inProcessClient(registry: Registry, options: InProcessOptions = {}): Client {
  const { identity } = options;
  const client = {
    ...unrestrictedClient(registry, options),
    inSpan: (cause: SpanContext) => inProcessClient(registry, { ...options, cause }),
    inTerm: (term: LeaseTerm) => inProcessClient(registry, { ...options, term }),
    asController: (account: string) =>
      inProcessClient(registry, { ...options, ...(identity && { identity: identity.asController(account) }) }),
  };
  return identity ? authorizedClient(client, identity) : client;
}

/** Finds the kind as it is served now. Throws NotFound. */
type ServedKind = <T extends ApiObject>(r: ResourceDefinition<T>) => ResourceDefinition;

interface Request {
  readonly verb: string;
  readonly r: ResourceDefinition;
  readonly key?: Key;
  readonly subresource?: string | undefined;
}
/** Makes a write with its options, within a span while tracing is on. */
type Writing = <T>(request: Request, write: (by: WriteOptions) => Promise<T>) => Promise<T>;

function writingTo({ world: { tracer } }: Registry, { manager, term, cause, identity }: InProcessOptions): Writing {
  const by: WriteOptions = {
    ...(manager !== undefined && { manager }),
    ...(term && { term }),
    ...(identity && { user: identity.user }),
  };
  return (request, write) => {
    if (!tracer) return write(by);
    const { r: resource, ...about } = request;
    const traced = { ...about, resource, user: manager };
    if (!isTraced(traced, cause)) return write(by);
    const span = requestSpan(tracer, traced, cause);
    return write({ ...by, trace: span.trace }).then(
      (result) => {
        span.end();
        return result;
      },
      (e: Error) => {
        span.end({ error: e.message });
        throw e;
      },
    );
  };
}

/** The writes of a client with nothing between it and the log. */
function unrestrictedWrites(
  registry: Registry,
  served: ServedKind,
  options: InProcessOptions,
): Pick<Client, "create" | "update" | "patch" | "delete" | "evict"> {
  const { issue, review } = options;
  const writing = writingTo(registry, options);
  return {
    async create<T extends ApiObject>(kind: ResourceDefinition<T>, draft: Draft<T>) {
      if (issue && kind.kind === tokenRequests.kind)
        return (await issue(draft as object as Draft<TokenRequest>)) as object as T;
      if (review && kind.virtual === "review")
        return (await review(kind as unknown as ResourceDefinition, draft as object as Draft<ApiObject>)) as T;
      const r = served(kind);
      return objectOf<T>(
        await writing({ verb: "create", r }, (by) => registry.create(r, draft as Draft<ApiObject>, by)),
      );
    },
    async update(kind, object, subresource?: WritableSubresource) {
      if (!object.metadata.resourceVersion)
        throw new ApiError("Invalid", `metadata.resourceVersion: Invalid value: "": must be specified for an update`);
      const target = { r: served(kind), key: keyOf(object), subresource };
      return objectOf(await writing({ verb: "update", ...target }, (by) => registry.change(target, () => object, by)));
    },
    async patch(kind, key, patch, subresource?: WritableSubresource) {
      const target = { r: served(kind), key, subresource };
      const done = await writing({ verb: "patch", ...target }, (by) => patched(registry, target, patch, by));
      return objectOf(done.stored);
    },
    async delete(kind, key, how = {}) {
      const target = { r: served(kind), key };
      const remove = (by: WriteOptions) => registry.delete(target, { ...how, ...by });
      return (await writing({ verb: "delete", ...target }, remove)).revision;
    },
    evict(key, how = {}) {
      const target = { r: served(pods), key };
      return writing({ verb: "evict", ...target }, (by) => evict(registry, target, { ...how, ...by }));
    },
  };
}

/** A client with nothing between it and the log. */
function unrestrictedClient(
  registry: Registry,
  options: InProcessOptions,
): Omit<Client, "inTerm" | "asController" | "inSpan"> {
  const { measured, metricValues } = options;
  const served: ServedKind = (r) => {
    if (r.virtual) throw new ApiError("NotFound", `${r.plural}.${r.group} is measured on request and not kept here`);
    const current = registry.kinds.of(r);
    if (!current) throw nowhere();
    return current as unknown as ResourceDefinition;
  };
  return {
    ...unrestrictedWrites(registry, served, options),
    async get<T extends ApiObject>(r: ResourceDefinition<T>, key: Key) {
      const { namespace, name } = splitKey(key);
      if (r.virtual && measured) return (await measured.get(r, namespace, name)) as T;
      return objectOf<T>(await registry.get(served(r), key));
    },
    async scale(r, key) {
      if (!r.subresources.includes("scale"))
        throw new ApiError("NotFound", "the server could not find the requested resource");
      const { show = scaleOf } = subresourceOf(r, "scale")!;
      return show(objectOf(await registry.get(served(r), key))) as Scale;
    },
    async list<T extends ApiObject>(r: ResourceDefinition<T>, selection: ListOptions = {}) {
      if (r.virtual && measured) {
        const items = (await measured.list(r, selection)) as readonly T[];
        return { items, revision: await registry.revision() };
      }
      const page = await registry.list(served(r), selection);
      return {
        items: objectsOf<T>(page),
        revision: page.revision,
        ...(page.next !== undefined && { next: page.next }),
      };
    },
    async metricValues(query) {
      if (!metricValues) throw nowhere();
      return metricValues(query);
    },
    watch: <T extends ApiObject>(r: ResourceDefinition<T>, from: WatchOptions, signal: AbortSignal) =>
      mapped(registry.watch(served(r), from, signal), eventOf<T>),
    revision: (kind) => registry.revision(kind && served(kind)),
  };
}
