// What can be wrong with what became of a claim: which devices it was given, and who uses them.
import type { Problem } from "../errors.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../generated/types.ts";
import { each, forbidden, invalid, unchanged } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { validateBinding, validateSet } from "./device-lists-validate.ts";
import { deviceRules, requestNames, validateRequestRef, validateRequestRefs } from "./device-requests-validate.ts";

const uidForm = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const normalUid = new RegExp(`^${uidForm}$`);
/** Bare, in braces, as a name, or in capitals: a uid still, but not as it is to be written. */
const otherUids = ["[0-9a-f]{32}", uidForm, `urn:uuid:${uidForm}`, `\\{${uidForm}\\}`].map(
  (form) => new RegExp(`^${form}$`, "i"),
);
const uidLengths = [32, 36, 38, 45];
const normalForm =
  "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";

interface Given {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string;
}
const idOf = ({ driver, pool, device, shareID }: Given): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join("/");

/** A share of a device is told apart by a uid, as RFC 4122 writes it. */
function validateShare({ shareID: id }: { readonly shareID?: string }, at: string): readonly Problem[] {
  const path = `${at}.shareID`;
  if (id === undefined) return [];
  if (normalUid.test(id)) return [];
  if (otherUids.some((form) => form.test(id))) return [invalid(path, id, normalForm)];
  const because = uidLengths.includes(id.length) ? "invalid UUID format" : `invalid UUID length: ${id.length}`;
  return [invalid(path, id, `error validating uid: ${because}`)];
}

function validateAllocation({ devices }: AllocationResult, claim: ResourceClaim): readonly Problem[] {
  const known = requestNames(claim.spec.devices ?? {});
  const path = "status.allocation.devices";
  return [
    ...each(devices?.results, `${path}.results`, (r, at) => validateRequestRef(r.request, `${at}.request`, known)),
    ...each(devices?.config, `${path}.config`, (c, at) => validateRequestRefs(c.requests, `${at}.requests`, known)),
  ];
}

/** Only of devices that were given can anything be told. */
const validateDevice = (d: AllocatedDeviceStatus, path: string, allocated: ReadonlySet<string>): readonly Problem[] =>
  allocated.has(idOf(d)) ? [] : [invalid(path, idOf(d), "must be an allocated device in the claim")];

function validateDevices(devices: readonly AllocatedDeviceStatus[], allocation?: AllocationResult): readonly Problem[] {
  const allocated = new Set((allocation?.devices?.results ?? []).map(idOf));
  const validateOne = (d: AllocatedDeviceStatus, path: string): readonly Problem[] =>
    validateDevice(d, path, allocated);
  return validateSet(devices, "status.devices", validateOne, idOf);
}

function validateReservation(next: ResourceClaim, old: ResourceClaim): readonly Problem[] {
  const path = "status.reservedFor";
  const consumers = next.status?.reservedFor ?? [];
  const before = new Set((old.status?.reservedFor ?? []).map((c) => c.uid));
  const isLate = next.metadata.deletionTimestamp !== undefined && consumers.some((c) => !before.has(c.uid));
  if (consumers.length > 0 && !next.status?.allocation)
    return [forbidden(path, "may not be specified when `allocated` is not set")];
  return isLate
    ? [forbidden(path, "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set")]
    : [];
}

/** What is wrong with a change of a claim's status. What was given is not exchanged for another. */
export function validateClaimStatus(next: ResourceClaim, old: ResourceClaim): readonly Problem[] {
  const { devices = [], allocation } = next.status ?? {};
  const before = old.status?.allocation;
  return [
    ...validateDevices(devices, allocation),
    ...validateReservation(next, old),
    ...(allocation && before ? unchanged(allocation, before, "status.allocation") : []),
    ...(allocation && !before ? validateAllocation(allocation, next) : []),
  ];
}

export const claimRules: Rules = {
  ...deviceRules,
  AllocatedDeviceStatus: validateShare,
  DeviceRequestAllocationResult: (r: DeviceRequestAllocationResult, path: string) => [
    ...validateBinding(r, path),
    ...validateShare(r, path),
  ],
};
