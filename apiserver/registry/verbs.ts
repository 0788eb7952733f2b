// The interface of the registry, and the options of its writes.
import type { ResourceDefinition, Subresource } from "../../api/kinds.ts";
import type { ApiObject, Draft, Key, Revision } from "../../api/meta.ts";
import type { DeleteOptions, WatchOptions, WritableSubresource } from "../../machinery/client.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { LeaseTerm } from "../../machinery/lease-term.ts";
import type { World } from "../../machinery/world.ts";
import type { User } from "../authorization/authorizer.ts";
import type { Present, Stored } from "../storage/storage.ts";
import type { StoredEvent, StoredListOptions, StoredPage } from "./listing.ts";
import type { Ownership } from "./fields/ownership.ts";

/** Follows a write: its steps, and its commit. */
export interface WriteTrace {
  /** Records that a step has ended by now. */
  (step: string): void;
  /** Called before the commit of an object; what it returns, with the revision if it was committed. */
  readonly committing?: (r: ResourceDefinition, object: ApiObject) => (at: Revision | undefined) => void;
}

/** Options of a write: dry run, user and field manager. */
export interface WriteOptions extends Ownership {
  readonly dryRun?: boolean;
  /** Undefined for the server's own components. */
  readonly user?: User;
  /** The create is part of an update or of an apply, which was authorized as such: the right to create is checked. */
  readonly authorizesCreate?: true;
  /** Kubernetes' verb of the request: create, update or patch. */
  readonly verb?: string;
  /** Commits only while the lease is of this term. */
  readonly term?: LeaseTerm | undefined;
  /** The object the request was derived from, already decoded: parts identical to it are not decoded again. */
  readonly read?: object | undefined;
  /**
   * The version the object was sent in, if it is not the stored one: it is decoded and converted already, and in this
   * version it is validated and its fields are owned.
   */
  readonly version?: ResourceDefinition;
  /** The change returns the object to be stored, also of a subresource whose bodies are of another kind. */
  readonly isMerged?: true;
  readonly trace?: WriteTrace | undefined;
  /** Receives warnings for the client. */
  readonly warn?: (sentence: string) => void;
  /** Adds an annotation to the audit event of the request; undefined when there is none. */
  readonly annotate?: ((key: string, value: string) => void) | undefined;
}
/** The result of a deletion: the last state of the object, and whether it was removed or only marked. */
export interface Deleted {
  readonly stored: Stored;
  readonly gone: boolean;
  readonly revision: Revision;
}
/**
 * The object to be stored in place of `current`. Called again with the newer object after a concurrent write; throws
 * to refuse.
 */
export type Change = (current: ApiObject) => ApiObject | Promise<ApiObject>;
/** Which object is written, and which subresource of it. */
export interface Target {
  readonly r: ResourceDefinition;
  readonly key: Key;
  readonly subresource?: WritableSubresource | undefined;
}

/** A connection with options, such as PodExecOptions, or what is created, such as an Eviction. */
export interface SentToSubresource {
  readonly operation: "CONNECT" | "CREATE";
  readonly subresource: Subresource;
  readonly object: ApiObject;
  readonly options: WriteOptions;
}

/** The verbs, with objects as they are stored, so that bytes can be served as they are. */
export interface Registry {
  readonly world: World;
  readonly kinds: KindRegistry;
  get(r: ResourceDefinition, key: Key): Promise<Stored>;
  /** The current state, no older than the call, for several look-ups at once. */
  present(): Promise<Present>;
  list(r: ResourceDefinition, options?: StoredListOptions): Promise<StoredPage>;
  create(r: ResourceDefinition, draft: Draft<ApiObject>, options?: WriteOptions): Promise<Stored>;
  change(target: Target, decide: Change, options?: WriteOptions): Promise<Stored>;
  delete(target: Target, options?: DeleteOptions & WriteOptions): Promise<Deleted>;
  /** Passes what is sent to a subresource, and not stored, through admission. Throws what refuses it. */
  admit(target: Pick<Target, "r" | "key">, sent: SentToSubresource): Promise<void>;
  watch(r: ResourceDefinition, options: WatchOptions, signal: AbortSignal): AsyncIterable<StoredEvent>;
  /** Watches of `kind` report progress soon afterwards, for the reader to wait for. */
  revision(kind?: ResourceDefinition): Promise<Revision>;
}
