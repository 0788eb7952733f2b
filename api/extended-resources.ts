// Extended resources that classes of devices provide: their names, and the claim that the scheduler makes for a pod
// which requests them. Source: KEP-5004.
import type { DeviceClass, Pod, ResourceV1ResourceClaim as ResourceClaim } from "./generated/types.ts";
import { controllerOf, instantOf } from "./meta.ts";
import { isExtended } from "./resource-names.ts";

/** Before the name of a class: the extended resource that every class provides. */
export const classPrefix = "deviceclass.resource.kubernetes.io/";
/** Of a claim that the scheduler made for the extended resources of a pod. */
export const extendedClaimAnnotation = "resource.kubernetes.io/extended-resource-claim";

/** Whether a class of devices may provide the resource. */
export const isDeviceResource = (name: string): boolean => name.startsWith(classPrefix) || isExtended(name);

/** Whether some container requests a resource that a class may provide. */
export const requestsDevices = ({ spec: { containers, initContainers = [] } }: Pod): boolean =>
  [...containers, ...initContainers].some(({ resources }) =>
    Object.keys(resources?.requests ?? {}).some(isDeviceResource),
  );

const createdAt = ({ metadata }: DeviceClass): number => instantOf(metadata.creationTimestamp);
/** Of several classes for one resource the newest provides it, so that one class can take the place of another. */
const precedes = (a: DeviceClass, b: DeviceClass): number =>
  createdAt(b) - createdAt(a) || (a.metadata.name < b.metadata.name ? -1 : 1);

/** The class that provides an extended resource. */
export function providingClass(resource: string, classes: readonly DeviceClass[]): DeviceClass | undefined {
  if (resource.startsWith(classPrefix)) {
    const name = resource.slice(classPrefix.length);
    return classes.find(({ metadata }) => metadata.name === name);
  }
  return classes.filter(({ spec }) => spec.extendedResourceName === resource).toSorted(precedes)[0];
}

/** Whether the scheduler made the claim for the extended resources of this pod. */
export const isExtendedClaimOf = ({ metadata }: Pod, claim: ResourceClaim): boolean =>
  claim.metadata.annotations?.[extendedClaimAnnotation] === "true" && controllerOf(claim)?.uid === metadata.uid;
