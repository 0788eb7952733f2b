// What claims for devices count in quotas: devices by class, and as the extended resources that the classes provide.
// Pure. Source: KEP-4381, KEP-5004.
import type { DeviceClass, DeviceRequest, ResourceV1ResourceClaim as ResourceClaim } from "../../generated/types.ts";
import { unitsOf } from "../../quantity.ts";
import { classPrefix, isDeviceResource } from "../../extended-resources.ts";
import type { Amounts } from "../pod/pod-resources.ts";

/** What the extended resources of a claim depend on beside the claim. */
export interface DeviceQuota {
  readonly classes: readonly DeviceClass[];
  /** What the pod is counted for that a claim was made for by the scheduler; all of it, or nothing. */
  readonly covered: (claim: ResourceClaim) => Amounts | "all";
}

const devicesSuffix = ".deviceclass.resource.k8s.io/devices";
/** Whether claims may count in this resource of a quota. */
export const isOfDevices = (resource: string): boolean =>
  resource.endsWith(devicesSuffix) ||
  (resource.startsWith("requests.") && isDeviceResource(resource.slice("requests.".length)));

/** The most devices that a request for all of them can get (KEP-4381). */
const mostDevices = 32;
/** The most devices of each class that a request can get; of alternatives, each counts. */
function devicesOf({ exactly, firstAvailable = [] }: DeviceRequest): ReadonlyMap<string, number> {
  const devices = new Map<string, number>();
  for (const { deviceClassName, allocationMode, count = 1 } of [...(exactly ? [exactly] : []), ...firstAvailable]) {
    const most = allocationMode === "All" ? mostDevices : count;
    devices.set(deviceClassName, Math.max(most, devices.get(deviceClassName) ?? 0));
  }
  return devices;
}

/** The extended resources that the devices stand for, without what the pod of the claim is counted for. */
function extendedUsage(claim: ResourceClaim, devices: ReadonlyMap<string, number>, quota: DeviceQuota): Amounts {
  const counts = new Map<string, number>();
  for (const { metadata, spec } of quota.classes) {
    const count = devices.get(metadata.name);
    if (count === undefined) continue;
    const { extendedResourceName: name } = spec;
    for (const resource of [classPrefix + metadata.name, ...(name === undefined ? [] : [name])])
      counts.set(`requests.${resource}`, (counts.get(`requests.${resource}`) ?? 0) + count);
  }
  const covered = counts.size > 0 ? quota.covered(claim) : {};
  if (covered === "all") return {};
  const remaining = [...counts].map(([name, count]) => [name, count - unitsOf(covered[name])] as const);
  return Object.fromEntries(remaining.filter(([, count]) => count > 0).map(([name, count]) => [name, `${count}`]));
}

/** The usage of a claim; without `quota` by class alone. */
export function deviceUsage(claim: ResourceClaim, quota: DeviceQuota | undefined): Amounts {
  const totals = new Map<string, number>();
  for (const request of claim.spec.devices?.requests ?? [])
    for (const [name, count] of devicesOf(request)) totals.set(name, (totals.get(name) ?? 0) + count);
  return {
    ...Object.fromEntries([...totals].map(([name, count]) => [name + devicesSuffix, `${count}`])),
    ...(quota && extendedUsage(claim, totals, quota)),
  };
}
