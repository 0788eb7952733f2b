// The claim that stands for the extended resources of a pod: what it requests depends on the node, since what the node
// has itself is no part of it. Source: KEP-5004.
import type {
  ContainerExtendedResourceRequest,
  DeviceClass,
  Pod,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { derivedUid } from "../../../api/hash.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import {
  extendedClaimAnnotation,
  isDeviceResource,
  isExtendedClaimOf,
  providingClass,
} from "../../../api/extended-resources.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { extendedRequests } from "../../devices/extended-requests.ts";
import { demandsOf } from "../../devices/requests.ts";
import type { ClaimToAllocate } from "../../devices/search.ts";
import { type Rejection, type Snapshot, unresolvable } from "../../framework.ts";
import type { NodeInfo, PodInfo } from "../../node-info.ts";

/** The claim as it is to be made, for nodes that lack the same resources. */
export interface ExtendedClaim extends ClaimToAllocate {
  readonly claim: ResourceClaim;
  /** The containers that use its devices. */
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}
/** What a pod requests that classes of devices provide. */
export interface ExtendedResources {
  /** A claim that an attempt which did not end with a binding has left. */
  readonly existing: ResourceClaim | undefined;
  /** By resource. */
  readonly classes: ReadonlyMap<string, DeviceClass>;
  /** Requested resources that only nodes can have. */
  readonly others: readonly string[];
  /** By the resources that a node lacks. */
  readonly claims: Map<string, ExtendedClaim>;
}

const leftover = unresolvable("cannot schedule extended resource claim");
const notOnNode = unresolvable("cannot fit resource");

/** The requested resources that may be devices. */
const deviceResourcesOf = ({ requests }: Pick<PodInfo, "requests">): readonly string[] =>
  Object.keys(requests).filter((name) => requests[name]! > 0 && isDeviceResource(name));

/** Those that classes provide, with their classes. */
export function providedResources(info: Pick<PodInfo, "requests">, lister: Snapshot["lister"]) {
  const names = deviceResourcesOf(info);
  const classes = names.length > 0 ? lister(deviceClasses).all() : [];
  return new Map(
    names.flatMap((name) => {
      const found = providingClass(name, classes);
      return found ? [[name, found] as const] : [];
    }),
  );
}

/** Undefined when no class provides what the pod requests. */
export function extendedResourcesOf(info: PodInfo, lister: Snapshot["lister"]): ExtendedResources | undefined {
  const classes = providedResources(info, lister);
  if (classes.size === 0) return undefined;
  const { pod } = info;
  const claims = lister(resourceClaims).byIndex("namespace", pod.metadata.namespace ?? "");
  return {
    existing: claims.find((claim) => isExtendedClaimOf(pod, claim)),
    classes,
    others: deviceResourcesOf(info).filter((name) => !classes.has(name)),
    claims: new Map(),
  };
}

/** Not a name that a claim can have: it gets one when it is written. */
const unwrittenName = "<extended-resources>";

function claimFor(pod: Pod, classes: ReadonlyMap<string, DeviceClass>): ExtendedClaim {
  const { name, namespace, uid } = pod.metadata;
  const names = new Map([...classes].map(([resource, { metadata }]) => [resource, metadata.name]));
  const { requests, mappings } = extendedRequests(pod, names);
  const claim: ResourceClaim = {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaim",
    metadata: {
      ...{ name: unwrittenName, namespace, resourceVersion: "", creationTimestamp: "" },
      uid: derivedUid(uid, unwrittenName),
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid, controller: true }],
      annotations: { [extendedClaimAnnotation]: "true" },
    },
    spec: { devices: { requests } },
  };
  const byName = new Map([...classes.values()].map((found) => [found.metadata.name, found]));
  return { claim, mappings, constraints: [], demands: demandsOf(claim, (className) => byName.get(className)) };
}

/** The claim for what the node lacks; undefined when it has everything. */
export function extendedClaimOn(
  { existing, classes, others, claims }: ExtendedResources,
  { allocatable }: NodeInfo,
  pod: Pod,
): ExtendedClaim | Rejection | undefined {
  // PostFilter deletes it: whether its devices would still do is not worth knowing.
  if (existing) return leftover;
  if (others.some((name) => allocatable[name] === undefined)) return notOnNode;
  const lacking = new Map([...classes].filter(([name]) => !allocatable[name]));
  if (lacking.size === 0) return undefined;
  const id = [...lacking.keys()].join(" ");
  const claim = claims.get(id) ?? claimFor(pod, lacking);
  claims.set(id, claim);
  return claim;
}

/** The claim to be created. */
export const draftOf = ({ claim: { kind, metadata, spec } }: ExtendedClaim, pod: Pod) => {
  const { namespace, ownerReferences, annotations } = metadata;
  const generateName = `${pod.metadata.name}-extended-resources-`;
  return { kind, metadata: { generateName, namespace, ownerReferences, annotations }, spec };
};
