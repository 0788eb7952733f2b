// Namespaces: `spec.finalizers` hold one that is being deleted, until the namespace controller has emptied it.
import type { Namespace } from "../../../api/core/namespaces.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { defaultStrategy, mergeStrategy } from "../prepare.ts";
import type { Strategy } from "./strategy.ts";

const finalizersOf = (object: ApiObject): readonly string[] => (object as Partial<Namespace>).spec?.finalizers ?? [];

export const namespaceStrategy: Partial<Strategy> = {
  // Before its deletion the finalizers are written through the subresource only.
  prepareForUpdate(next, old, by) {
    const spec = old.metadata.deletionTimestamp === undefined ? { spec: (old as Namespace).spec } : {};
    return defaultStrategy.prepareForUpdate({ ...next, ...spec } as ApiObject, old, by);
  },
  deletion: {
    isHeld: (object) => finalizersOf(object).length > 0,
    whileTerminating: (object) =>
      ({ ...object, status: { ...(object as Namespace).status, phase: "Terminating" } }) as ApiObject,
    returnsObject: true,
    isSingle: true,
  },
};

/** Takes `spec.finalizers` alone, the last write to a namespace. */
export const finalizeStrategy = mergeStrategy(
  (old, sent) => {
    const { uid, resourceVersion } = sent.metadata;
    const metadata = { ...old.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    return { ...old, metadata, spec: { finalizers: finalizersOf(sent) } } as ApiObject;
  },
  { prepareForUpdate: (next) => next },
);
