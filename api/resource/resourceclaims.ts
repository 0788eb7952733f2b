// ResourceClaim: a request for devices, those allocated to it, and the pods that use them. ResourceClaimTemplate: what
// claims of single pods are made from. Source: KEP-4381.
import { ageColumn, nameColumn } from "../columns.ts";
import { validateAnnotations } from "../core/pod/validate-metadata.ts";
import type { Problem } from "../errors.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateLabels, validateUid } from "../names.ts";
import { each, forbidden, invalid, none, repeated, together, unchanged } from "../problems.ts";
import {
  claimDefaults,
  deviceRules,
  requestNames,
  validateBinding,
  validateRequestRef,
  validateRequestRefs,
} from "./device-requests.ts";

type DeviceId = Pick<AllocatedDeviceStatus, "driver" | "pool" | "device" | "shareID">;
/** Names a device, or a share of it. */
export const deviceId = ({ driver, pool, device, shareID }: DeviceId): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join("/");

function validateAllocation({ devices }: AllocationResult, claim: ResourceClaim): readonly Problem[] {
  const known = requestNames(claim.spec.devices ?? {});
  const path = "status.allocation.devices";
  return together(
    each(devices?.results, `${path}.results`, (r, at) => validateRequestRef(r.request, `${at}.request`, known)),
    each(devices?.config, `${path}.config`, (c, at) => validateRequestRefs(c.requests, `${at}.requests`, known)),
  );
}

/** Drivers report the status of allocated devices only. */
function validateDevices({ allocation, devices }: NonNullable<ResourceClaim["status"]>): readonly Problem[] {
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceId));
  const path = "status.devices";
  return together(
    each(devices, path, (device, at) =>
      allocated.has(deviceId(device))
        ? none
        : [invalid(at, deviceId(device), "must be an allocated device in the claim")],
    ),
    repeated(devices, path, deviceId),
  );
}

function validateReservation({ metadata, status }: ResourceClaim, old: ResourceClaim): readonly Problem[] {
  const path = "status.reservedFor";
  const consumers = status?.reservedFor ?? [];
  const before = new Set((old.status?.reservedFor ?? []).map((c) => c.uid));
  if (consumers.length > 0 && !status?.allocation)
    return [forbidden(path, "may not be specified when `allocated` is not set")];
  return metadata.deletionTimestamp !== undefined && consumers.some((c) => !before.has(c.uid))
    ? [forbidden(path, "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set")]
    : none;
}

function validateStatus(next: ResourceClaim, old: ResourceClaim): readonly Problem[] {
  const { allocation } = next.status ?? {};
  const before = old.status?.allocation;
  return together(
    validateDevices(next.status ?? {}),
    validateReservation(next, old),
    allocation && before && unchanged(allocation, before, "status.allocation"),
    allocation && !before && validateAllocation(allocation, next),
  );
}

function stateText({ metadata, status }: ResourceClaim): string {
  const isDeleted = metadata.deletionTimestamp !== undefined;
  if (!status?.allocation) return isDeleted ? "deleted" : "pending";
  return [...(isDeleted ? ["deleted"] : []), "allocated", ...(status.reservedFor?.length ? ["reserved"] : [])].join(
    ",",
  );
}

const claim = { group: "resource.k8s.io", scope: "Namespaced" } as const;

export const resourceClaims = define<ResourceClaim>({
  ...claim,
  kind: "ResourceClaim",
  subresources: ["status"],
  defaults: (d) => ({ ...d, spec: { ...d.spec, devices: claimDefaults(d.spec.devices ?? {}) } }),
  rules: {
    ...deviceRules,
    DeviceRequestAllocationResult: (result: DeviceRequestAllocationResult) =>
      together(validateBinding(result), result.shareID !== undefined && validateUid(result.shareID, "shareID")),
  },
  validateStatus,
  columns: [nameColumn, { name: "State", cell: stateText }, ageColumn],
});

export const resourceClaimTemplates = define<ResourceClaimTemplate>({
  ...claim,
  kind: "ResourceClaimTemplate",
  defaults: ({ spec, ...d }) => ({
    ...d,
    spec: { ...spec, spec: { ...spec.spec, devices: claimDefaults(spec.spec.devices ?? {}) } },
  }),
  rules: deviceRules,
  validate: ({ spec: { metadata } }, old) =>
    together(
      !old && validateLabels(metadata?.labels, "spec.metadata.labels"),
      !old && validateAnnotations(metadata?.annotations, "spec.metadata.annotations"),
    ),
  columns: [nameColumn, ageColumn],
});
