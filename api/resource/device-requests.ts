// What a claim means where it is silent: one device of each sort it asks for.
import type { DeviceClaim, DeviceRequest } from "../generated/types.ts";

interface Counted {
  readonly allocationMode?: string;
  readonly count?: number;
}
function one<C extends Counted>(request: C): C {
  const allocationMode = request.allocationMode || "ExactCount";
  const count = allocationMode === "ExactCount" ? request.count || 1 : request.count;
  return { ...request, allocationMode, ...(count !== undefined && { count }) };
}

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
