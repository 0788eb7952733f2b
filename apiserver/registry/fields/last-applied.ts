// What a client that applies by itself notes on the object, so that its next apply knows of the last: read once, when
// that client goes over to server-side apply, and kept up to date from then on. Pure.
import { canonicalJson } from "../../../api/hash.ts";
import { apiVersionOf, type ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { difference, fieldsOf } from "./compare.ts";
import { type FieldSet, minus, noFields, union } from "./set.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";
const noted = (object: ApiObject): string => object.metadata.annotations?.[annotation] ?? "";

/** What the client applied and still stands: its own server-side apply may have it. */
export function fromClientSide(r: ResourceDefinition, live: ApiObject): FieldSet {
  try {
    const config = JSON.parse(noted(live)) as ApiObject;
    if (config.apiVersion !== apiVersionOf(r)) return noFields;
    const { changed, removed } = difference(r, config, live);
    return minus(fieldsOf(r.schema, config), union(changed, removed));
  } catch {
    // No note, or none that can be read: then nothing is known to be allowed.
    return noFields;
  }
}

/** The note, where there is one, says what is applied now. */
export function followed(object: ApiObject, said: object, manager: string): ApiObject {
  if (manager !== "kubectl" || noted(object) === "") return object;
  const { metadata } = said as ApiObject;
  const { [annotation]: _, ...others } = metadata.annotations ?? {};
  const plain = metadata.annotations ? { ...said, metadata: { ...metadata, annotations: others } } : said;
  const annotations = { ...object.metadata.annotations, [annotation]: `${canonicalJson(plain)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
