// The registry: create, change, delete, list and watch over the log, for every kind. What differs between kinds is in
// their definitions and strategies; who may write what is the admission chain's, which is handed in.
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { World } from "../../machinery/world.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Storage } from "../storage/storage.ts";
import { admissionChain, type AdmissionPlugin } from "./admission.ts";
import { withConversions } from "./conversion.ts";
import { listStored, watchStored } from "./listing.ts";
import type { Registry } from "./verbs.ts";
import { watchIndexes } from "./watch-index.ts";
import { change, type Cluster, create, read, remove } from "./write.ts";

/** What a registry is composed of, beside its storage. */
export interface RegistryOptions {
  readonly kinds: KindRegistry;
  readonly authorizer: Authorizer;
  readonly admission: readonly AdmissionPlugin[];
}

/** Verbs over a storage. */
export function registry(storage: Storage, world: World, { kinds, authorizer, admission }: RegistryOptions): Registry {
  const log = { storage, kinds, watchIndexes: watchIndexes(world) };
  const cluster: Cluster = { storage, world, authorizer, admit: admissionChain(admission, storage) };
  const verbs: Registry = {
    world,
    kinds,
    get: (r, key) => read(cluster, r, key),
    list: (r, options) => listStored(log, r, options),
    create: (r, draft, options) => create(cluster, r, draft, options),
    change: (target, decide, options) => change(cluster, target, decide, options),
    delete: (target, options = {}) => remove(cluster, target, options),
    watch: (r, options, signal) => watchStored(log, r, options, signal),
    revision() {
      log.watchIndexes.ask();
      return storage.revision();
    },
  };
  return withConversions(verbs);
}
