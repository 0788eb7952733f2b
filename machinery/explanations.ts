// Where components say how to explain objects of a kind, and the API server finds them: the contract between both.
import type { ResourceDefinition } from "../api/kinds.ts";
import type { ApiObject } from "../api/meta.ts";
import { onAbort } from "./abort.ts";

type Explain<T extends ApiObject> = (object: T) => object;
export interface Explanations {
  /** Explains objects of the kind until the signal aborts. */
  add<T extends ApiObject>(kind: ResourceDefinition<T>, explain: Explain<T>, signal: AbortSignal): void;
  /** Undefined while no component of this process explains the kind. */
  of<T extends ApiObject>(kind: ResourceDefinition<T>): Explain<T> | undefined;
}

/** Nothing is explained yet. */
export function explanations(): Explanations {
  const byKind = new Map<ResourceDefinition, Explain<never>>();
  return {
    add(kind, explain, signal) {
      if (signal.aborted) return;
      byKind.set(kind, explain);
      onAbort(signal, () => {
        if (byKind.get(kind) === explain) byKind.delete(kind);
      });
    },
    // The map does not preserve the pairing of definitions and object types.
    of: <T extends ApiObject>(kind: ResourceDefinition<T>) => byKind.get(kind) as Explain<T> | undefined,
  };
}
