// What can be wrong with the devices a driver offers, and with where it says they are.
import type { Problem } from "../errors.ts";
import type { Device, DeviceAttribute, DeviceTaint, ResourceSlice } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateLabelValue, validateQualifiedName, validateSubdomainName } from "../names.ts";
import { invalid, oneOf, required, tooLong, unchanged } from "../problems.ts";
import { validatePoolName, validateQualifiedDeviceName } from "./device-names-validate.ts";
import { repeated, validateEach } from "./device-requests-validate.ts";
import { validateDriverName } from "./storage-drivers.ts";

type Spec = ResourceSlice["spec"];

const mostDevices = 128;
const mostComplexDevices = 64;
const mostAttributes = 32;
const mostTaints = 16;
const longestValue = 64;
const effects = ["NoExecute", "NoSchedule", "None"];
const version =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

const exactlyOne = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

/** Where the devices are is said in one of four ways. */
function validatePlace(spec: Spec): readonly Problem[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection: perDevice } = spec;
  const said = [
    ...(nodeName ? ["`nodeName`"] : []),
    ...(nodeSelector ? ["`nodeSelector`"] : []),
    ...(allNodes ? ["`allNodes`"] : []),
    ...(perDevice ? ["`perDeviceNodeSelection`"] : []),
  ];
  const unset = "must be either unset or set to true";
  return [
    ...(nodeName === "" ? [invalid("spec.nodeName", "", "must be either unset or set to a non-empty string")] : []),
    ...validateSubdomainName(nodeName, "spec.nodeName"),
    ...(allNodes === false ? [invalid("spec.allNodes", false, unset)] : []),
    ...(perDevice === false ? [invalid("spec.perDeviceNodeSelection", false, unset)] : []),
    ...(said.length === 0 ? [required("spec", exactlyOne)] : []),
    ...(said.length > 1 ? [invalid("spec", `{${said.join(", ")}}`, `${exactlyOne}, but multiple fields are set`)] : []),
  ];
}

function validatePool({ pool }: Spec): readonly Problem[] {
  const { name, resourceSliceCount: count = 0, generation = 0 } = pool ?? {};
  return [
    ...validatePoolName(name, "spec.pool.name"),
    ...(count > 0 ? [] : [invalid("spec.pool.resourceSliceCount", count, "must be greater than zero")]),
    ...(generation >= 0 ? [] : [invalid("spec.pool.generation", generation, "must be greater than or equal to zero")]),
  ];
}

function validateAttribute(a: DeviceAttribute, path: string): readonly Problem[] {
  const said = Object.values(a).filter((value) => value !== undefined).length;
  return [
    ...((a.string?.length ?? 0) > longestValue ? [tooLong(`${path}.string`, longestValue)] : []),
    ...(a.version === undefined || version.test(a.version)
      ? []
      : [invalid(`${path}.version`, a.version, "must be a string compatible with semver.org spec 2.0.0")]),
    ...((a.version?.length ?? 0) > longestValue ? [tooLong(`${path}.version`, longestValue)] : []),
    ...(said === 1 ? [] : [invalid(path, said === 0 ? "" : a, "exactly one value must be specified")]),
  ];
}

const validateTaint = (t: DeviceTaint, path: string): readonly Problem[] => [
  ...validateQualifiedName(t.key ?? "", `${path}.key`),
  ...validateLabelValue(t.value ?? "", `${path}.value`),
  ...(t.effect ? oneOf(t.effect, `${path}.effect`, effects) : [required(`${path}.effect`)]),
];

function validateDevice(device: Device, path: string): readonly Problem[] {
  const { attributes = {}, capacity = {} } = device;
  const total = Object.keys(attributes).length + Object.keys(capacity).length;
  const detail = `the total number of attributes and capacities must not exceed ${mostAttributes}`;
  return [
    ...(device.name ? validateLabelName(device.name, `${path}.name`) : [required(`${path}.name`)]),
    ...(total > mostAttributes ? [invalid(path, total, detail)] : []),
    ...Object.entries(attributes).flatMap(([name, value]) => [
      ...validateQualifiedDeviceName(name, `${path}.attributes`),
      ...validateAttribute(value, `${path}.attributes[${name}]`),
    ]),
    ...Object.keys(capacity).flatMap((name) => validateQualifiedDeviceName(name, `${path}.capacity`)),
    ...validateEach(device.taints, `${path}.taints`, mostTaints, validateTaint),
  ];
}

/** What ties a slice to its driver, its pool and its node stays. */
const validateChange = (spec: Spec, old: Spec): readonly Problem[] => [
  ...unchanged(spec.pool.name, old.pool.name, "spec.pool.name"),
  ...unchanged(spec.driver, old.driver, "spec.driver"),
  ...unchanged(spec.nodeName, old.nodeName, "spec.nodeName"),
];

export function validateSlice({ metadata, spec }: Draft<ResourceSlice>, old?: ResourceSlice): readonly Problem[] {
  const { devices, sharedCounters } = spec;
  const isComplex = (devices ?? []).some((d) => d.taints?.length || d.consumesCounters?.length);
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...validateDriverName(spec.driver, "spec.driver"),
    ...validatePool(spec),
    ...(old ? validateChange(spec, old.spec) : []),
    ...validatePlace(spec),
    ...(devices && sharedCounters ? [invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed")] : []),
    ...validateEach(devices, "spec.devices", isComplex ? mostComplexDevices : mostDevices, validateDevice),
    ...repeated(devices, "spec.devices", (d) => d.name),
  ];
}
