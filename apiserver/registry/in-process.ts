// A Client for components in the server's process: the registry's verbs with objects instead of bytes.
import { pods } from "../../api/core/pods.ts";
import { ApiError } from "../../api/errors.ts";
import { type TokenRequest, tokenRequests } from "../../api/authentication/tokenrequests.ts";
import type { Scale } from "../../api/generated/types.ts";
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
import type { Registry } from "./verbs.ts";

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
  /** Who it acts as; without one it is the server itself, which may do everything. */
  readonly identity?: InProcessIdentity;
}

/** A client of a component in this process. What its identity may not do is refused as over HTTP. */
export function inProcessClient(registry: Registry, options: InProcessOptions = {}): Client {
  const { identity } = options;
  const client = {
    ...unrestrictedClient(registry, options),
    inTerm: (term: LeaseTerm) => inProcessClient(registry, { ...options, term }),
    asController: (account: string) =>
      inProcessClient(registry, { ...options, ...(identity && { identity: identity.asController(account) }) }),
  };
  return identity ? authorizedClient(client, identity) : client;
}

/** A client with nothing between it and the log. */
function unrestrictedClient(
  registry: Registry,
  { measured, metricValues, issue, review, manager, term, identity }: InProcessOptions,
): Omit<Client, "inTerm" | "asController"> {
  const by = {
    ...(manager !== undefined && { manager }),
    ...(term && { term }),
    ...(identity && { user: identity.user }),
  };
  const served = <T extends ApiObject>(r: ResourceDefinition<T>): ResourceDefinition => {
    if (r.virtual) throw new ApiError("NotFound", `${r.plural}.${r.group} is measured on request and not kept here`);
    const current = registry.kinds.of(r);
    if (!current) throw nowhere();
    return current;
  };
  return {
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
    async list<T extends ApiObject>(r: ResourceDefinition<T>, options: ListOptions = {}) {
      if (r.virtual && measured) {
        const items = (await measured.list(r, options)) as readonly T[];
        return { items, revision: await registry.revision() };
      }
      const page = await registry.list(served(r), options);
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
    async create<T extends ApiObject>(r: ResourceDefinition<T>, draft: Draft<T>) {
      if (issue && r.kind === tokenRequests.kind)
        return (await issue(draft as object as Draft<TokenRequest>)) as object as T;
      if (review && r.virtual === "review")
        return (await review(r as unknown as ResourceDefinition, draft as object as Draft<ApiObject>)) as T;
      return objectOf<T>(await registry.create(served(r), draft as Draft<ApiObject>, by));
    },
    async update(r, object, subresource?: WritableSubresource) {
      if (!object.metadata.resourceVersion)
        throw new ApiError("Invalid", `metadata.resourceVersion: Invalid value: "": must be specified for an update`);
      return objectOf(await registry.change({ r: served(r), key: keyOf(object), subresource }, () => object, by));
    },
    patch: async (r, key, patch, subresource?: WritableSubresource) =>
      objectOf((await patched(registry, { r: served(r), key, subresource }, patch, by)).stored),
    delete: async (r, key, options = {}) =>
      (await registry.delete({ r: served(r), key }, { ...options, ...by })).revision,
    evict: (key, options = {}) => evict(registry, { r: served(pods), key }, { ...options, ...by }),
    watch: <T extends ApiObject>(r: ResourceDefinition<T>, options: WatchOptions, signal: AbortSignal) =>
      mapped(registry.watch(served(r), options, signal), eventOf<T>),
    revision: (kind) => registry.revision(kind && served(kind)),
  };
}
