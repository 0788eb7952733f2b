// The API as an interface. One contract, two carriers: the registry in-process, and HTTP.
import type { ApiObject, Draft, Key, Revision } from "../api/meta.ts";
import type { Scale } from "../api/generated/types.ts";
import type { SpanContext } from "../api/explanation/trace.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import type { MetricQuery, MetricValue } from "../api/metrics/values.ts";
import type { LeaseTerm } from "./lease-term.ts";

export type WatchEvent<T> =
  | { readonly type: "applied"; readonly object: T; readonly revision: Revision }
  /** The last state of an object that was deleted or no longer matches the selector. */
  | { readonly type: "deleted"; readonly object: T; readonly revision: Revision }
  /** Nothing of this kind changed, but history has moved on to here. */
  | { readonly type: "progress"; readonly revision: Revision };

/** Which objects: all of them unless narrowed. Selectors in the query string's spelling. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}
export interface ListOptions extends Selection {
  readonly limit?: number;
  readonly continue?: string;
}
export interface Page<T> {
  readonly items: readonly T[];
  readonly revision: Revision;
  /** Present when there is more: pass it as `continue`. */
  readonly next?: string;
}
export interface WatchOptions extends Selection {
  /** Events strictly after this revision. */
  readonly from: Revision;
}
export interface DeleteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
}
export type Patch =
  | { readonly type: "json"; readonly operations: readonly unknown[] }
  | { readonly type: "merge" | "strategic"; readonly patch: object }
  | { readonly type: "apply"; readonly object: object; readonly fieldManager: string; readonly force?: boolean };
/**
 * Subresources that writes go to. "finalize" takes only `spec.finalizers` of a namespace, the last thing to be
 * written to it; "approval" takes only the conditions of a request for a certificate.
 */
export type WritableSubresource =
  | "status"
  | "scale"
  | "binding"
  | "finalize"
  | "ephemeralcontainers"
  | "resize"
  | "approval";

export interface Client {
  get<T extends ApiObject>(r: ResourceDefinition<T>, key: Key): Promise<T>;
  /** Reads the scale subresource. Fails with NotFound also when the kind has none. */
  scale(r: ResourceDefinition, key: Key): Promise<Scale>;
  list<T extends ApiObject>(r: ResourceDefinition<T>, options?: ListOptions): Promise<Page<T>>;
  /** Reads a custom or an external metric. Fails with NotFound when nothing of it has data. */
  metricValues(query: MetricQuery): Promise<readonly MetricValue[]>;
  create<T extends ApiObject>(r: ResourceDefinition<T>, draft: Draft<T>): Promise<T>;
  /**
   * Fails with Conflict unless `object.metadata.resourceVersion` is current. With "status" only the status is taken;
   * with "binding" only `spec.nodeName`, once.
   */
  update<T extends ApiObject>(r: ResourceDefinition<T>, object: T, subresource?: WritableSubresource): Promise<T>;
  patch<T extends ApiObject>(
    r: ResourceDefinition<T>,
    key: Key,
    patch: Patch,
    subresource?: WritableSubresource,
  ): Promise<T>;
  /** The revision at which the object was removed, or marked for removal. */
  delete<T extends ApiObject>(r: ResourceDefinition<T>, key: Key, options?: DeleteOptions): Promise<Revision>;
  /** Deletes a pod by the eviction API. Fails with TooManyRequests when its disruption budget allows no disruption. */
  evict(key: Key, options?: DeleteOptions): Promise<void>;
  /**
   * Throws Expired when `from` is too old: list again. Emits progress soon after a request for the revision by kind
   * (about 100 ms), otherwise seldom.
   */
  watch<T extends ApiObject>(
    r: ResourceDefinition<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /**
   * A linearizable read of the revision of history. Watches of `kind` emit progress soon afterwards, so that a view of
   * it can be awaited.
   */
  revision<T extends ApiObject>(kind?: ResourceDefinition<T>): Promise<Revision>;
  /** The same client, whose writes are committed only while the lease is of this term. For leaders. */
  inTerm(term: LeaseTerm): Client;
  /**
   * The same client with the identity of a controller, the service account `account` in kube-system. A client that is
   * identified by a certificate keeps its identity.
   */
  asController(account: string): Client;
  /** The same client, whose requests are caused by this span. */
  inSpan(span: SpanContext): Client;
}
