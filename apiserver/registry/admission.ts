// Admission: plugins that mutate and validate a write with a view of the rest of the cluster, in a fixed order.
// The registry runs the chain; which plugins are in it is the composition's choice.
import type { ResourceDefinition, Subresource } from "../../api/kinds.ts";
import type { ApiObject, Instant, Revision } from "../../api/meta.ts";
import type { Commit, Present, Storage, Stored, Write } from "../storage/storage.ts";
import { objectOf, prefixOf } from "./codec.ts";
import { commitInTerm } from "./fencing.ts";
import type { WriteOptions, WriteTrace } from "./verbs.ts";

/** Kubernetes' admission operations. CONNECT opens a session to a subresource, such as `pods/exec`. */
export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** What a write, or a connection, is about. */
export interface WriteAttributes {
  readonly r: ResourceDefinition;
  readonly operation: Operation;
  /** Absent when the object itself is written. */
  readonly subresource?: Subresource | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
  /** The stored object; absent on create and for a connection. */
  readonly old: ApiObject | undefined;
  /** User, dry run, field manager. */
  readonly options: WriteOptions;
  readonly now: Instant;
}
/** What a plugin is passed beside the object. */
export interface AdmissionAttributes extends WriteAttributes {
  /** The stored objects. All plugins of one write share one read of them. */
  present(): Promise<Present>;
  /** The same without waiting: as far as this process has received history. */
  readonly received: Present;
}

/** How a write changes what is stored: nothing before it creates the object, nothing after it removes it. */
export interface Replacement {
  readonly before: ApiObject | undefined;
  readonly after: ApiObject | undefined;
}
/** Writes of other objects that are committed together with the object's own. `release` is called when it is over. */
export interface Alongside {
  readonly writes: readonly Write[];
  readonly release?: () => void;
}
/** One plugin. Both halves refuse by throwing. In a deletion the object is the one that is deleted,
 * for a connection it is its options, such as PodExecOptions, which have no metadata. */
export interface AdmissionPlugin {
  readonly name: string;
  readonly operations: readonly Operation[];
  /** The subresources whose creation it handles as well. What is sent to them is of another kind. */
  readonly subresources?: readonly Subresource[];
  /** Called once per kind; the result is cached. */
  handles(r: ResourceDefinition): boolean;
  /** The object as it shall be stored; the same reference when the plugin changes nothing. */
  mutate?(object: ApiObject, attributes: AdmissionAttributes): ApiObject | Promise<ApiObject>;
  /** Sees the object after mutation and after the kind's own validation. */
  validate?(object: ApiObject, attributes: AdmissionAttributes): void | Promise<void>;
  /** Called before each commit, also of an object that is removed. */
  alongside?(
    replacement: Replacement,
    attributes: AdmissionAttributes,
    storage: Pick<Storage, "received" | "present">,
  ): Alongside | undefined | Promise<Alongside | undefined>;
}

/** The plugins that one write passes. */
export interface Admission {
  mutate(object: ApiObject): Promise<ApiObject>;
  /** Throws the first refusal. */
  validate(object: ApiObject): Promise<void>;
  /** Commits the write with those of the plugins. A dry run has no write, and commits nothing. */
  commit(replacement: Replacement, write: Write | undefined): Promise<Commit | undefined>;
}

function readOnce(storage: Storage): () => Promise<Present> {
  let present: Promise<Present> | undefined;
  return () => {
    present ??= storage.present();
    return present;
  };
}

/** Runs the plugins that handle a kind and an operation, which are looked up once for both. */
export function admissionChain(
  plugins: readonly AdmissionPlugin[],
  storage: Storage,
): (write: WriteAttributes) => Admission {
  const handling = new WeakMap<ResourceDefinition, Partial<Record<Operation, readonly AdmissionPlugin[]>>>();
  const pluginsFor = ({ r, operation, subresource }: WriteAttributes): readonly AdmissionPlugin[] => {
    const known = handling.get(r) ?? {};
    handling.set(r, known);
    known[operation] ??= plugins.filter((plugin) => plugin.operations.includes(operation) && plugin.handles(r));
    if (operation !== "CREATE" || subresource === undefined) return known[operation];
    return known[operation].filter((plugin) => plugin.subresources?.includes(subresource));
  };
  return (write) => {
    const applicable = pluginsFor(write);
    const attributes: AdmissionAttributes = { ...write, present: readOnce(storage), received: storage.received };
    return {
      async mutate(object) {
        let next = object;
        for (const plugin of applicable) {
          const mutated = plugin.mutate ? plugin.mutate(next, attributes) : next;
          // Awaiting a value that is not a promise would cost every write a turn of the event loop.
          next = mutated instanceof Promise ? await mutated : mutated;
        }
        return next;
      },
      async validate(object) {
        for (const plugin of applicable) {
          const validation = plugin.validate?.(object, attributes);
          if (validation instanceof Promise) await validation;
        }
      },
      async commit(replacement, write) {
        const { term, trace } = attributes.options;
        const all: Alongside[] = [];
        let committed: ReturnType<NonNullable<WriteTrace["committing"]>> | undefined;
        let at: Revision | undefined;
        try {
          for (const plugin of applicable) {
            const added = plugin.alongside?.(replacement, attributes, storage);
            const alongside = added instanceof Promise ? await added : added;
            if (alongside) all.push(alongside);
          }
          if (!write) return undefined;
          committed = trace?.committing?.(attributes.r, (replacement.after ?? replacement.before)!);
          const commit = await commitInTerm(storage, term, write, ...all.flatMap(({ writes }) => writes));
          if (commit.ok) at = commit.revision;
          return commit;
        } finally {
          committed?.(at);
          for (const { release } of all) release?.();
        }
      },
    };
  };
}

/** Which classes are marked, and which of two that are comes first. */
interface Marking<T extends ApiObject> {
  readonly isMarked: (candidate: T) => boolean;
  readonly precedes: (a: T, b: T) => boolean;
}

/** Finds the marked class of a kind, the default of objects that name none. A stored class is read once. */
export function markedClass<T extends ApiObject>(
  r: ResourceDefinition<T>,
  { isMarked, precedes }: Marking<T>,
): (present: Present) => T | undefined {
  const known = new WeakMap<Uint8Array, T | null>();
  const read = (stored: Stored): T | null => {
    const candidate = objectOf<T>(stored);
    const marked = isMarked(candidate) ? candidate : null;
    known.set(stored.value, marked);
    return marked;
  };
  return (present) => {
    let first: T | undefined;
    for (const stored of present.list(prefixOf(r))) {
      const marked = known.get(stored.value);
      const candidate = marked === undefined ? read(stored) : marked;
      if (candidate && (!first || precedes(candidate, first))) first = candidate;
    }
    return first;
  };
}
