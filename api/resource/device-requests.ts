// What a claim means where it is silent: one device of each sort it asks for.
import type { DeviceClaim, DeviceRequest } from "../generated/types.ts";

/** One device is meant where a count is and is not said. */
const one = <C extends { readonly allocationMode?: string; readonly count?: number }>(request: C): C =>
  request.allocationMode === "ExactCount" && !request.count ? { ...request, count: 1 } : request;

const requestDefaults = (r: DeviceRequest): DeviceRequest => ({
  ...r,
  ...(r.exactly && { exactly: one(r.exactly) }),
  ...(r.firstAvailable && { firstAvailable: r.firstAvailable.map(one) }),
});

/** The claim with its counts filled in. */
export const claimDefaults = (devices: DeviceClaim): DeviceClaim => ({
  ...devices,
  ...(devices.requests && { requests: devices.requests.map(requestDefaults) }),
});
