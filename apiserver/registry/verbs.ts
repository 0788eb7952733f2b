// What can be asked of a cluster: the verbs, whoever carries them out.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Draft, Key, Revision } from "../../api/meta.ts";
import type { DeleteOptions, WatchOptions } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import type { Stored } from "../storage/storage.ts";
import type { StoredEvent, StoredListOptions, StoredPage } from "./listing.ts";
import type { Change, Deleted, Target, WriteOptions } from "./write.ts";

/** The verbs, with objects as they are stored, so that bytes can be served as they are. */
export interface Registry {
  readonly world: World;
  get(r: ResourceDefinition, key: Key): Promise<Stored>;
  list(r: ResourceDefinition, options?: StoredListOptions): Promise<StoredPage>;
  create(r: ResourceDefinition, draft: Draft<ApiObject>, options?: WriteOptions): Promise<Stored>;
  change(target: Target, decide: Change, options?: WriteOptions): Promise<Stored>;
  delete(target: Target, options?: DeleteOptions & WriteOptions): Promise<Deleted>;
  watch(r: ResourceDefinition, options: WatchOptions, signal: AbortSignal): AsyncIterable<StoredEvent>;
  revision(): Promise<Revision>;
}
