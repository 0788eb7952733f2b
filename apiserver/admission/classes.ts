// Default classes: of the classes of a kind, the one that objects without a class get.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import type { Present, Stored } from "../storage/storage.ts";
import type { Ingress } from "../../api/generated/types.ts";
import { ingressClasses } from "../../api/networking/ingresses.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";

/** Which classes are marked, and which of two that are comes first. */
interface Marking<T extends ApiObject> {
  readonly isMarked: (candidate: T) => boolean;
  readonly precedes: (a: T, b: T) => boolean;
}

/** Finds the marked class. Every pod is created past this: what was read of a stored class once is not read again. */
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

/** The newest; of two of the same second the one whose name comes first. */
export const newest = (a: ApiObject, b: ApiObject): boolean => {
  const [made, than] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  return made === than ? a.metadata.name < b.metadata.name : made > than;
};

const usualClass = markedClass(ingressClasses, {
  isMarked: ({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true",
  precedes: newest,
});

/** The older way to name a class still counts as naming one. */
export const defaultIngressClass: AdmissionPlugin = {
  name: "DefaultIngressClass",
  operations: ["CREATE"],
  handles: (r) => r.group === "networking.k8s.io" && r.plural === "ingresses",
  async mutate(object, { present }) {
    const ingress = object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined) return object;
    if (ingress.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return object;
    const usual = usualClass(await present());
    if (!usual) return object;
    return { ...ingress, spec: { ...ingress.spec, ingressClassName: usual.metadata.name } } as ApiObject;
  },
};
