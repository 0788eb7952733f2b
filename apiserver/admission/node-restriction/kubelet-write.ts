// A write by a kubelet, how it is refused, and what it is checked against.
import type { ApiError } from "../../../api/errors.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject, Key } from "../../../api/meta.ts";
import { splitKey } from "../../../api/meta.ts";
import type { AdmissionAttributes } from "../../registry/admission.ts";
import { objectOf, prefixOf } from "../../registry/codec.ts";
import { forbidden, notFound } from "../../registry/refusals.ts";

export interface KubeletWrite {
  readonly nodeName: string;
  /** What is sent. In a deletion, the object that is deleted. */
  readonly object: ApiObject;
  readonly attributes: AdmissionAttributes;
}

/** Throws the refusal of a write that goes beyond the node. */
export type Restriction = (write: KubeletWrite) => void | Promise<void>;

/** The error of a write; objects without a name yet are unknown. */
export function refusal({ attributes: { r, name }, object }: KubeletWrite, because: string): ApiError {
  return forbidden(r, name || object.metadata?.generateName || "Unknown", because);
}

/** The stored object. Throws NotFound, which names the kind as Kubernetes' caches do. */
export async function stored<T extends ApiObject>(
  { attributes }: Pick<KubeletWrite, "attributes">,
  r: ResourceDefinition<T>,
  at: Key,
): Promise<T> {
  const definition = r as unknown as ResourceDefinition;
  const found = (await attributes.present()).get(prefixOf(definition) + at);
  if (!found) throw notFound({ ...definition, plural: r.kind.toLowerCase() }, splitKey(at).name);
  return objectOf<T>(found);
}
