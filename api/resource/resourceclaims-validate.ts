// What can be wrong with what became of a claim: which devices it was given, and who uses them.
import { validateInterfaceAddress } from "../addresses-validate.ts";
import { validateConditions } from "../conditions-validate.ts";
import type { Problem } from "../errors.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  NetworkDeviceData,
  ResourceClaimConsumerReference,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../generated/types.ts";
import { validateLabelName } from "../names.ts";
import { validateNodeSelector } from "../core/pod/validate-placement.ts";
import { forbidden, invalid, oneOf, required, tooLong, tooMany, unchanged } from "../problems.ts";
import {
  validateBinding,
  validateDeviceToleration,
  validateEach,
  validateRaw,
  validateSet,
} from "./device-lists-validate.ts";
import { validatePoolName } from "./device-names-validate.ts";
import { requestNames, validateOpaque, validateRequestRef, validateRequestRefs } from "./device-requests-validate.ts";
import { validateDriverName } from "../core/storage-drivers.ts";

const mostConsumers = 256;
const mostResults = 32;
/** As many as a class may bring, and as many again of the claim's own. */
const mostConfigurations = 64;
const mostConditions = 8;
const mostIps = 16;
const longestData = 10 * 1024;
const longestInterface = 256;
const longestHardware = 128;
const sources = ["FromClaim", "FromClass"];
const uidForm = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const normalUid = new RegExp(`^${uidForm}$`);
/** Bare, in braces, as a name, or in capitals: a uid still, but not as it is to be written. */
const otherUids = ["[0-9a-f]{32}", uidForm, `urn:uuid:${uidForm}`, `\\{${uidForm}\\}`].map(
  (form) => new RegExp(`^${form}$`, "i"),
);
const uidLengths = [32, 36, 38, 45];
const normalForm =
  "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";

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

/** A share of a device is told apart by a uid, as RFC 4122 writes it. */
function validateShare(id: string | undefined, path: string): readonly Problem[] {
  if (id === undefined) return [];
  if (normalUid.test(id)) return [];
  if (otherUids.some((form) => form.test(id))) return [invalid(path, id, normalForm)];
  const because = uidLengths.includes(id.length) ? "invalid UUID format" : `invalid UUID length: ${id.length}`;
  return [invalid(path, id, `error validating uid: ${because}`)];
}

function validateConfiguration(c: DeviceAllocationConfiguration, path: string, known: ReadonlySet<string>) {
  return [
    ...(c.source ? oneOf(c.source, `${path}.source`, sources) : [required(`${path}.source`)]),
    ...validateRequestRefs(c.requests, `${path}.requests`, known),
    ...validateOpaque(c.opaque, path),
  ];
}

function validateAllocation({ devices, nodeSelector }: AllocationResult, claim: ResourceClaim): readonly Problem[] {
  const known = requestNames(claim.spec.devices ?? {});
  const path = "status.allocation";
  return [
    ...validateEach(devices?.results, `${path}.devices.results`, mostResults, (r, at) => [
      ...validateRequestRef(r.request, `${at}.request`, known),
      ...validateGiven(r, at),
      ...validateBinding(r, at),
      ...(r.tolerations ?? []).flatMap((t, i) => validateDeviceToleration(t, `${at}.tolerations[${i}]`)),
      ...validateShare(r.shareID, `${at}.shareID`),
    ]),
    ...validateEach(devices?.config, `${path}.devices.config`, mostConfigurations, (c, at) =>
      validateConfiguration(c, at, known),
    ),
    ...(nodeSelector ? validateNodeSelector(nodeSelector, `${path}.nodeSelector`) : []),
  ];
}

function validateNetwork(data: NetworkDeviceData | undefined, path: string): readonly Problem[] {
  const { interfaceName = "", hardwareAddress = "", ips } = data ?? {};
  return [
    ...(interfaceName.length > longestInterface ? [tooLong(`${path}.interfaceName`, longestInterface)] : []),
    ...(hardwareAddress.length > longestHardware ? [tooLong(`${path}.hardwareAddress`, longestHardware)] : []),
    ...validateSet(ips, `${path}.ips`, mostIps, validateInterfaceAddress, (ip) => ip),
  ];
}

/** Only of devices that were given can anything be told. */
function validateTold(d: AllocatedDeviceStatus, path: string, given: ReadonlySet<string>): readonly Problem[] {
  const { conditions = [] } = d;
  return [
    ...validateGiven(d, path),
    ...validateShare(d.shareID, `${path}.shareID`),
    ...(given.has(idOf(d)) ? [] : [invalid(path, idOf(d), "must be an allocated device in the claim")]),
    ...(conditions.length > mostConditions ? [tooMany(`${path}.conditions`, conditions.length, mostConditions)] : []),
    ...validateConditions(conditions, `${path}.conditions`),
    ...(d.data === undefined || d.data === null ? [] : validateRaw(d.data, `${path}.data`, longestData)),
    ...validateNetwork(d.networkData, `${path}.networkData`),
  ];
}

function validateDevices(devices: readonly AllocatedDeviceStatus[], allocation?: AllocationResult): readonly Problem[] {
  const given = new Set((allocation?.devices?.results ?? []).map(idOf));
  const validateOne = (d: AllocatedDeviceStatus, path: string): readonly Problem[] => validateTold(d, path, given);
  return validateSet(devices, "status.devices", Number.POSITIVE_INFINITY, validateOne, idOf);
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
    ...validateSet(reservedFor, "status.reservedFor", mostConsumers, validateConsumer, (c) => c.uid),
    ...validateDevices(devices, allocation),
    ...validateReservation(next, old),
    ...(allocation && before ? unchanged(allocation, before, "status.allocation") : []),
    ...(allocation && !before ? validateAllocation(allocation, next) : []),
  ];
}
