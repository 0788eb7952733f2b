// The scale of custom resources, whose fields are where their definition says. Pure. Source: the custom resources page,
// "Scale subresource".
import { valueAt } from "../../../api/apiextensions/custom-kinds.ts";
import type { ScalePaths } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";

type Json = Readonly<Record<string, unknown>>;

const countAt = (object: ApiObject, path: readonly string[]): number => {
  const value = valueAt(object, path);
  return typeof value === "number" ? value : 0;
};

/** The scale that the object shows. */
export function customScaleOf(
  { specReplicas, statusReplicas, labelSelector }: ScalePaths,
  object: ApiObject,
): ApiObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = labelSelector && valueAt(object, labelSelector);
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: countAt(object, specReplicas) },
    status: { replicas: countAt(object, statusReplicas), ...(typeof selector === "string" && { selector }) },
  } as ApiObject;
}

const withValue = (object: Json, [field, ...rest]: readonly string[], value: unknown): Json =>
  field === undefined
    ? object
    : { ...object, [field]: rest.length === 0 ? value : withValue((object[field] ?? {}) as Json, rest, value) };

/** The object with the number of replicas of a scale. */
export function withCustomReplicas({ specReplicas }: ScalePaths, old: ApiObject, sent: ApiObject): ApiObject {
  const { uid, resourceVersion } = sent.metadata;
  const { replicas = 0 } = (sent as { readonly spec?: { readonly replicas?: number } }).spec ?? {};
  const metadata = { ...old.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  return withValue({ ...old, metadata } as unknown as Json, specReplicas, replicas) as unknown as ApiObject;
}
