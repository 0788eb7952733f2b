// The served set: the kinds a cluster has at this moment. Kinds are added and removed while the server runs, so
// readers keep no copy of the list: they look up one kind, or rebuild what they derive when `changed` is notified.
import { assert } from "../api/errors.ts";
import { apiVersionOf, type ResourceDefinition } from "../api/kinds.ts";
import { newSignal, type Signal } from "./signal.ts";

/** What a path names. */
interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** The one list of served kinds. */
export interface KindRegistry {
  /** By what a path names, in constant time. */
  of(gvr: GroupVersionResource): ResourceDefinition | undefined;
  /** By what a body or an owner reference names, in constant time: `apps/v1` and `Deployment`. */
  ofKind(apiVersion: string, kind: string): ResourceDefinition | undefined;
  /** In the order in which they were added. The array is replaced when the set changes, and never modified. */
  all(): readonly ResourceDefinition[];
  /** Notified after every change of the set. */
  readonly changed: Pick<Signal, "listen">;
  /** Adds kinds; one that names the same resource as a served one replaces it. */
  add(...kinds: readonly ResourceDefinition[]): void;
  /** Removes a kind; removing one that is not served does nothing. */
  remove(gvr: GroupVersionResource): void;
}

const resourceId = ({ group, version, plural }: GroupVersionResource): string => `${group}/${version}/${plural}`;
const kindId = (apiVersion: string, kind: string): string => `${apiVersion} ${kind}`;

/** A registry that serves these kinds to begin with. */
export function kindRegistry(kinds: readonly ResourceDefinition[]): KindRegistry {
  const byResource = new Map<string, ResourceDefinition>();
  const byKind = new Map<string, ResourceDefinition>();
  const changed = newSignal();
  let all: readonly ResourceDefinition[] = [];
  /** The same as a set: most look-ups are by the served definition itself. */
  let served: ReadonlySet<GroupVersionResource> = new Set();
  const update = (): void => {
    all = [...byResource.values()];
    served = new Set(all);
  };
  const put = (added: readonly ResourceDefinition[]): void => {
    for (const r of added) {
      assert(r.plural !== "" && r.version !== "", "a kind has a plural and a version");
      const replaced = byResource.get(resourceId(r));
      if (replaced) byKind.delete(kindId(apiVersionOf(replaced), replaced.kind));
      byResource.set(resourceId(r), r);
      byKind.set(kindId(apiVersionOf(r), r.kind), r);
    }
    update();
  };
  put(kinds);
  // Registries of the same kinds share one array, and with it what is cached for it.
  if (all.length === kinds.length) all = kinds;
  return {
    of: (gvr) => (served.has(gvr) ? (gvr as ResourceDefinition) : byResource.get(resourceId(gvr))),
    ofKind: (apiVersion, kind) => byKind.get(kindId(apiVersion, kind)),
    all: () => all,
    changed,
    add(...added) {
      put(added);
      changed.notify();
    },
    remove(gvr) {
      const removed = byResource.get(resourceId(gvr));
      if (!removed) return;
      byResource.delete(resourceId(gvr));
      byKind.delete(kindId(apiVersionOf(removed), removed.kind));
      update();
      changed.notify();
    },
  };
}

/** A value derived from the served kinds: made when it is first read, and again after the set has changed. */
export function derivedFrom<T>(
  kinds: Pick<KindRegistry, "all">,
  derive: (kinds: readonly ResourceDefinition[]) => T,
): () => T {
  let source: readonly ResourceDefinition[] | undefined;
  let derived: T;
  return () => {
    if (source !== kinds.all()) {
      source = kinds.all();
      derived = derive(source);
    }
    return derived;
  };
}
