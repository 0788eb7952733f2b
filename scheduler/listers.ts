// Listers over lists of objects, by kind: for clusters that are not views of the API server.
import type { ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, revision } from "../api/meta.ts";
import { type Lister, view } from "../machinery/view.ts";
import { byNamespace, type Snapshot } from "./framework.ts";

/** Lists the objects of a kind when it is read for the first time. */
export function listerOver(
  objectsOf: <T extends ApiObject>(kind: ResourceDefinition<T>) => Iterable<T>,
): Snapshot["lister"] {
  const listers = new Map<ResourceDefinition, Lister<ApiObject>>();
  return <T extends ApiObject>(kind: ResourceDefinition<T>): Lister<T> => {
    const known = listers.get(kind);
    // The map does not preserve the pairing of definitions and object types.
    if (known) return known as Lister<T>;
    const filled = view<T>(byNamespace);
    filled.replace([...objectsOf(kind)]);
    const lister = { ...filled, revision: revision(0) };
    listers.set(kind, lister as Lister<ApiObject> as typeof lister);
    return lister;
  };
}
