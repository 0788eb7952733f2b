// The parts of an object that are written on their own: status, scale, binding; and the two ways to write, whole or
// as a patch.
import { ApiError } from "../../api/errors.ts";
import type { Pod } from "../../api/core/pods.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import { define, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Instant, timestamp } from "../../api/meta.ts";
import { withEphemeralContainers } from "../../api/core/pod/ephemeral-containers.ts";
import { resized } from "../../api/core/pod/resize.ts";
import { schemaOf } from "../../api/schema.ts";
import { type LabelSelectorLike, type Labels, selectorText } from "../../api/selector.ts";
import type { WritableSubresource } from "../../machinery/client.ts";
import type { Part } from "./prepare.ts";
import { conflict } from "./refusals.ts";
import type { Change } from "./verbs.ts";

/** A change, and the part of the object it is confined to. */
export interface PartChange {
  readonly decide: Change;
  readonly part?: Part;
}
interface Scalable extends ApiObject {
  readonly spec: { readonly replicas?: number; readonly selector?: LabelSelectorLike };
  readonly status?: { readonly replicas?: number };
}

/** A scale as a kind of its own, which is read and checked like any other. */
export const scaleKind: ResourceDefinition = define({
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  plural: "scales",
  scope: "Namespaced",
  published: "io.k8s.api.autoscaling.v1.Scale",
  schema: schemaOf("io.k8s.api.autoscaling.v1.Scale"),
  subresources: ["status"],
});
/** The count in a scale; an absent one is none. */
export const replicasOf = (spec: { readonly replicas?: number } = {}): { readonly replicas: number } => ({
  replicas: spec.replicas ?? 0,
});

/** How many there should be and are, of anything that can be counted. */
export function scaleOf(object: ApiObject): ApiObject & { readonly spec: { readonly replicas?: number } } {
  const { metadata, spec, status, kind } = object as Scalable;
  // One of the kinds has labels where the others have a selector.
  const selector =
    kind === replicationControllers.kind ? { matchLabels: spec.selector as Labels | undefined } : spec.selector;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, selector: selectorText(selector) },
  } as ApiObject & { readonly spec: { readonly replicas?: number } };
}

function scaled(current: ApiObject, given: ApiObject): ApiObject {
  const replicas = (given as Scalable).spec?.replicas ?? 0;
  const { uid, resourceVersion } = given.metadata;
  return {
    ...current,
    metadata: { ...current.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    spec: { ...(current as Scalable).spec, replicas },
  } as ApiObject;
}

/** What a namespace still waits for, as whoever empties it says. */
function released(current: ApiObject, given: ApiObject): ApiObject {
  const finalizers =
    (given as ApiObject & { readonly spec?: { readonly finalizers?: readonly string[] } }).spec?.finalizers ?? [];
  const { uid, resourceVersion } = given.metadata;
  const metadata = { ...current.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  return { ...current, metadata, spec: { finalizers } } as ApiObject;
}

/** Give a pod to a node, once. */
function bound(r: ResourceDefinition, current: ApiObject, given: ApiObject, now: Instant): ApiObject {
  const pod = current as Pod;
  const nodeName = (given as Pod).spec.nodeName;
  const { name, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined)
    throw conflict(r, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw conflict(r, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  if (!nodeName) throw new ApiError("Invalid", "target.name: Required value");
  const conditions = (pod.status?.conditions ?? []).filter((c) => c.type !== "PodScheduled");
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: timestamp(now) };
  return {
    ...pod,
    metadata: { ...pod.metadata, uid: given.metadata.uid || pod.metadata.uid },
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...conditions, scheduled] },
  } as ApiObject;
}

/** The change that writes `wanted`, or one part of it, over what stands there. */
export function changeOf(
  r: ResourceDefinition,
  wanted: Change,
  part: WritableSubresource | undefined,
  now: Instant,
): PartChange {
  switch (part) {
    case undefined:
      return { decide: wanted };
    case "status":
    case "approval":
      return { decide: wanted, part };
    case "scale":
      return { decide: async (current) => scaled(current, await wanted(current)), part };
    case "finalize":
      return { decide: async (current) => released(current, await wanted(current)), part };
    case "ephemeralcontainers":
      return {
        decide: async (current) => withEphemeralContainers(current as Pod, (await wanted(current)) as Pod),
        part,
      };
    case "resize":
      return { decide: async (current) => resized(current as Pod, (await wanted(current)) as Pod), part };
    case "binding":
      return { decide: async (current) => bound(r, current, await wanted(current), now), part };
  }
}
