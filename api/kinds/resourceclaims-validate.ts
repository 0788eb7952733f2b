// What can be wrong with what became of a claim: which devices it was given, and who uses them.
import type { Problem } from "../errors.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  ResourceClaimConsumerReference,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../generated/types.ts";
import { validateLabelName } from "../names.ts";
import { forbidden, invalid, required, unchanged } from "../problems.ts";
import { validatePoolName } from "./device-names-validate.ts";
import { repeated, requestNames, validateEach, validateRequestRef } from "./device-requests-validate.ts";
import { validateDriverName } from "./storage-drivers.ts";

const mostConsumers = 256;
const mostResults = 32;

const validateConsumer = (c: ResourceClaimConsumerReference, path: string): readonly Problem[] =>
  (["resource", "name", "uid"] as const).flatMap((field) => (c[field] ? [] : [required(`${path}.${field}`)]));

interface Given {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string;
}
const idOf = ({ driver, pool, device, shareID }: Given): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join("/");

const validateGiven = (given: Given, path: string): readonly Problem[] => [
  ...validateDriverName(given.driver, `${path}.driver`),
  ...validatePoolName(given.pool, `${path}.pool`),
  ...(given.device ? validateLabelName(given.device, `${path}.device`) : [required(`${path}.device`)]),
];

function validateAllocation(allocation: AllocationResult, claim: ResourceClaim): readonly Problem[] {
  const known = requestNames(claim.spec.devices ?? {});
  return validateEach(allocation.devices?.results, "status.allocation.devices.results", mostResults, (r, path) => [
    ...validateRequestRef(r.request, `${path}.request`, known),
    ...validateGiven(r, path),
  ]);
}

/** Only of devices that were given can anything be told. */
function validateDevices(devices: readonly AllocatedDeviceStatus[], allocation?: AllocationResult): readonly Problem[] {
  const given = new Set((allocation?.devices?.results ?? []).map(idOf));
  return devices.flatMap((d, i) => {
    const path = `status.devices[${i}]`;
    return [
      ...validateGiven(d, path),
      ...(given.has(idOf(d)) ? [] : [invalid(path, idOf(d), "must be an allocated device in the claim")]),
    ];
  });
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
  const { reservedFor, devices = [], allocation } = next.status ?? {};
  const before = old.status?.allocation;
  return [
    ...validateEach(reservedFor, "status.reservedFor", mostConsumers, validateConsumer),
    ...repeated(reservedFor, "status.reservedFor", (c) => c.uid),
    ...validateDevices(devices, allocation),
    ...repeated(devices, "status.devices", idOf),
    ...validateReservation(next, old),
    ...(allocation && before ? unchanged(allocation, before, "status.allocation") : []),
    ...(allocation && !before ? validateAllocation(allocation, next) : []),
  ];
}
