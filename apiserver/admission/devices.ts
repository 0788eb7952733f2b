// What claims for devices and classes of them say beyond their form: selectors compile, and only namespaces with a
// label get devices that others use. Source: KEP-4381, KEP-5018.
import { namespaces } from "../../api/core/namespaces.ts";
import type { Problem } from "../../api/errors.ts";
import type {
  AllocationResult,
  Device,
  DeviceClass,
  DeviceClaim,
  DeviceSelector,
  ResourceClaimTemplate,
  ResourceSlice,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../api/generated/types.ts";
import { type ApiObject, timestamp } from "../../api/meta.ts";
import { each, forbidden, invalid as invalidValue, none, together } from "../../api/problems.ts";
import { deviceId } from "../../api/resource/resourceclaims.ts";
import { deviceSelector } from "../../machinery/cel/device-selectors.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { invalid } from "../registry/refusals.ts";

function validateSelector({ cel }: DeviceSelector, path: string): readonly Problem[] {
  if (!cel) return none;
  const selector = deviceSelector(cel.expression);
  if (!("kind" in selector)) return none;
  const at = `${path}.cel.expression`;
  return [
    selector.kind === "invalid" ? invalidValue(at, cel.expression, selector.detail) : forbidden(at, selector.detail),
  ];
}

const validateClaim = ({ requests }: DeviceClaim, path: string): readonly Problem[] =>
  each(requests, `${path}.requests`, ({ exactly, firstAvailable }, at) =>
    together(
      each(exactly?.selectors, `${at}.exactly.selectors`, validateSelector),
      each(firstAvailable, `${at}.firstAvailable`, (alternative, below) =>
        each(alternative.selectors, `${below}.selectors`, validateSelector),
      ),
    ),
  );

function validateSelectors(object: ApiObject): readonly Problem[] {
  if (object.kind === "DeviceClass")
    return each((object as DeviceClass).spec.selectors, "spec.selectors", validateSelector);
  if (object.kind === "ResourceClaimTemplate")
    return validateClaim((object as ResourceClaimTemplate).spec.spec.devices ?? {}, "spec.spec.devices");
  return validateClaim((object as ResourceClaim).spec.devices ?? {}, "spec.devices");
}

/** Compiles the selectors of new claims, templates and classes. */
export const deviceSelectors: AdmissionPlugin = {
  name: "DeviceSelectors",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "resource.k8s.io" && r.plural !== "resourceslices",
  validate(object, { r, subresource, old }) {
    // The specs of claims do not change.
    if (subresource !== undefined || (old && r.plural !== "deviceclasses")) return;
    const problems = validateSelectors(object);
    if (problems.length > 0) throw invalid(r, object.metadata.name, problems);
  },
};

const adminLabel = "resource.kubernetes.io/admin-access";

/** The field that asks for devices which others use. */
function adminAccessIn(object: ApiObject, isStatus: boolean): string | undefined {
  const { spec, status } = object as ResourceClaim;
  if (isStatus) {
    const i = status?.allocation?.devices?.results?.findIndex((result) => result.adminAccess === true) ?? -1;
    return i < 0 ? undefined : `status.allocation.devices.results[${i}].adminAccess`;
  }
  const { devices } = object.kind === "ResourceClaimTemplate" ? (object as ResourceClaimTemplate).spec.spec : spec;
  const i = devices?.requests?.findIndex(({ exactly }) => exactly?.adminAccess === true) ?? -1;
  return i < 0 ? undefined : `spec.devices.requests[${i}].adminAccess`;
}

/** Refuses access as an administrator in a namespace without the label that allows it. */
export const deviceAdministration: AdmissionPlugin = {
  name: "DeviceAdministration",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "resource.k8s.io" && r.scope === "Namespaced",
  async validate(object, { r, subresource, old, namespace, present }: AdmissionAttributes) {
    const isStatus = subresource === "status";
    if (isStatus ? adminAccessIn(old!, true) : old) return;
    const path = adminAccessIn(object, isStatus);
    if (path === undefined) return;
    const stored = (await present()).get(prefixOf(namespaces) + namespace);
    if (stored && objectOf(stored).metadata.labels?.[adminLabel] === "true") return;
    const because = `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`;
    throw invalid(r, object.metadata.name, [forbidden(path, because)]);
  },
};

const idsOf = (allocation: AllocationResult | undefined): ReadonlySet<string> =>
  new Set((allocation?.devices?.results ?? []).map(deviceId));

/** Drops what drivers reported about devices that are not allocated any more. */
export const deviceStatuses: AdmissionPlugin = {
  name: "DeviceStatuses",
  operations: ["UPDATE"],
  handles: (r) => r.group === "resource.k8s.io" && r.plural === "resourceclaims",
  mutate(object, { subresource, old }) {
    const { status } = object as ResourceClaim;
    const before = (old as ResourceClaim).status?.allocation;
    if (subresource !== "status" || !status?.devices?.length || !before) return object;
    const dropped = idsOf(before).difference(idsOf(status.allocation));
    if (dropped.size === 0) return object;
    const { devices, ...rest } = status;
    const kept = devices.filter((device) => !dropped.has(deviceId(device)));
    return { ...object, status: { ...rest, ...(kept.length > 0 && { devices: kept }) } } as ApiObject;
  },
};

/** Sets when a taint of a device was added, where its driver does not say. Source: KEP-5055. */
export const deviceTaintTimes: AdmissionPlugin = {
  name: "DeviceTaintTimes",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "resource.k8s.io" && r.plural === "resourceslices",
  mutate(object, { now }) {
    const { spec } = object as ResourceSlice;
    const lacksTime = (device: Device): boolean => device.taints?.some((taint) => !taint.timeAdded) === true;
    if (!spec?.devices?.some(lacksTime)) return object;
    const timeAdded = timestamp(now);
    const devices = spec.devices.map((device) =>
      lacksTime(device) ? { ...device, taints: device.taints!.map((taint) => ({ timeAdded, ...taint })) } : device,
    );
    return { ...object, spec: { ...spec, devices } } as ApiObject;
  },
};
