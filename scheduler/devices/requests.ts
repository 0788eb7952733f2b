// Requests of claims, with their classes and compiled selectors: which devices can satisfy one.
import type {
  CapacityRequirements,
  Device,
  DeviceClass,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { isTolerated } from "../../api/resource/device-taints.ts";
import { deviceOfDriver, type DeviceOfDriver, deviceSelector } from "../../machinery/cel/device-selectors.ts";
import type { PoolDevice } from "./pools.ts";

/** What one request, or one alternative of it, demands. */
export interface DeviceDemand {
  /** `gpu`, or `gpu/small` for an alternative. */
  readonly name: string;
  /** The names that constraints and configurations call it by. */
  readonly names: readonly string[];
  readonly of: ResourceClaim;
  readonly deviceClass: DeviceClass;
  /** All devices that match, or so many. */
  readonly count: number | "All";
  readonly adminAccess: boolean;
  readonly capacity: CapacityRequirements;
  readonly tolerations: readonly DeviceToleration[];
  readonly selectors: readonly DeviceSelector[];
}

/** Finds classes by name. */
export type ClassOf = (name: string) => DeviceClass | undefined;

type Requested = ExactDeviceRequest | DeviceSubRequest;
function demandOf(claim: ResourceClaim, request: Requested, names: readonly string[], classOf: ClassOf): DeviceDemand {
  const { deviceClassName, allocationMode = "ExactCount", count = 1 } = request;
  const deviceClass = classOf(deviceClassName);
  if (!deviceClass)
    throw new Error(
      `claim ${keyOf(claim)}, request ${names[0]}: could not retrieve device class ${deviceClassName}: deviceclass.resource.k8s.io "${deviceClassName}" not found`,
    );
  return {
    name: names.at(-1)!,
    names,
    of: claim,
    deviceClass,
    count: allocationMode === "All" ? "All" : count,
    adminAccess: "adminAccess" in request && request.adminAccess === true,
    capacity: request.capacity ?? {},
    tolerations: request.tolerations ?? [],
    selectors: request.selectors ?? [],
  };
}

/** For each request of a claim its alternatives in their order; most requests have one. */
export const demandsOf = (claim: ResourceClaim, classOf: ClassOf): readonly (readonly DeviceDemand[])[] =>
  (claim.spec.devices?.requests ?? []).map(({ name, exactly, firstAvailable = [] }) =>
    exactly
      ? [demandOf(claim, exactly, [name], classOf)]
      : firstAvailable.map((alternative) =>
          demandOf(claim, alternative, [name, `${name}/${alternative.name}`], classOf),
        ),
  );

type Candidate = Pick<PoolDevice, "device" | "driver">;
const subjects = new WeakMap<Device, DeviceOfDriver>();
/** The device as selectors see it. */
function subjectOf({ device, driver }: Candidate): DeviceOfDriver {
  const known = subjects.get(device) ?? deviceOfDriver(driver, device);
  subjects.set(device, known);
  return known;
}

const results = new WeakMap<Device, Map<string, boolean>>();
/** Devices do not change, so a selector is evaluated once for each. */
function isSelected(candidate: Candidate, expression: string): boolean {
  const known = results.get(candidate.device) ?? new Map<string, boolean>();
  results.set(candidate.device, known);
  const before = known.get(expression);
  if (before !== undefined) return before;
  const selector = deviceSelector(expression);
  if ("kind" in selector) throw new Error(`CEL compile error: ${selector.detail}`);
  let isMatch: boolean;
  try {
    isMatch = selector.matches(subjectOf(candidate));
  } catch (error) {
    throw new Error(`CEL runtime error: ${(error as Error).message}`, { cause: error });
  }
  known.set(expression, isMatch);
  return isMatch;
}

function areSelected(candidate: Candidate, selectors: readonly DeviceSelector[], owner: string): boolean {
  return selectors.every(({ cel }, i) => {
    try {
      return isSelected(candidate, cel?.expression ?? "");
    } catch (error) {
      throw new Error(`${owner}: selector #${i}: ${(error as Error).message}`, { cause: error });
    }
  });
}

const isInClass = (candidate: Candidate, { metadata, spec }: DeviceClass): boolean =>
  areSelected(candidate, spec.selectors ?? [], `class ${metadata.name}`);
/** Whether the class selects a device of the driver. Throws when a selector fails. */
export const isOfClass = (driver: string, device: Device, deviceClass: DeviceClass): boolean =>
  isInClass({ driver, device }, deviceClass);

/** Whether the class and the request select the device. Throws when a selector fails: no other node would be better. */
export const isMatch = (candidate: PoolDevice, { deviceClass, selectors, of }: DeviceDemand): boolean =>
  isInClass(candidate, deviceClass) && areSelected(candidate, selectors, `claim ${keyOf(of)}`);

/** Whether the request tolerates the taints that keep claims away from the device. Source: KEP-5055. */
export const toleratesTaints = ({ taints = [] }: Device, { tolerations }: DeviceDemand): boolean =>
  taints.every((taint) => taint.effect === "None" || tolerations.some((toleration) => isTolerated(taint, toleration)));
