// What can be wrong with one device of those a driver offers.
import type { Problem } from "../errors.ts";
import type { Device, DeviceAttribute, NodeAllocatableResourceMapping } from "../generated/types.ts";
import { validateLabelName } from "../names.ts";
import { invalid, notFound, required, tooLong, tooMany } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { isNative } from "../resource-names.ts";
import { validateCapacity } from "./device-capacity-validate.ts";
import { validateQualifiedDeviceName } from "./device-names-validate.ts";

const mostAttributes = 32;
const mostValues = 48;
const mostCounters = 32;
const longestValue = 64;
const version =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

const validateText = (text: string, path: string): readonly Problem[] =>
  text.length > longestValue ? [tooLong(path, longestValue)] : [];
const validateVersion = (text: string, path: string): readonly Problem[] => [
  ...(version.test(text) ? [] : [invalid(path, text, "must be a string compatible with semver.org spec 2.0.0")]),
  ...validateText(text, path),
];

const lists = ["bools", "ints", "strings", "versions"] as const;
/** Whether an attribute says several things at once. */
export const isList = (a: DeviceAttribute): boolean => lists.some((field) => a[field] !== undefined);
const valuesIn = (a: DeviceAttribute): number => lists.reduce((sum, field) => sum + (a[field]?.length ?? 0), 0) || 1;

function validateAttribute(a: DeviceAttribute, path: string): readonly Problem[] {
  const said = Object.values(a).filter((value) => value !== undefined).length;
  const each = (list: readonly string[] | undefined, field: string, validate: typeof validateText) =>
    (list ?? []).flatMap((text, i) => validate(text, `${path}.${field}[${i}]`));
  return [
    ...(a.string === undefined ? [] : validateText(a.string, `${path}.string`)),
    ...(a.version === undefined ? [] : validateVersion(a.version, `${path}.version`)),
    ...lists.flatMap((field) =>
      a[field]?.length === 0 ? [invalid(`${path}.${field}`, a[field], "must not be empty if specified")] : [],
    ),
    ...each(a.strings, "strings", validateText),
    ...each(a.versions, "versions", validateVersion),
    ...(said === 1 ? [] : [invalid(path, said === 0 ? "" : a, "exactly one value must be specified")]),
  ];
}

/** Counters by name: of a set, or drawn from one. */
export function validateCounters(counters: object | undefined, path: string): readonly Problem[] {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) return [required(path)];
  if (names.length > mostCounters) return [tooMany(path, names.length, mostCounters)];
  return names.flatMap((name) => validateLabelName(name, path));
}

/** Which nodes reach a device: said of each where the slice does not say it of all. */
function validateReach(device: Device, path: string, isApart: boolean): readonly Problem[] {
  const { nodeName, nodeSelector, allNodes } = device;
  const fields = "`nodeName`, `nodeSelector`";
  const when = "if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (!isApart)
    return nodeName === undefined && nodeSelector === undefined && allNodes === undefined
      ? []
      : [invalid(path, null, `${fields} and \`allNodes\` can only be set ${when}`)];
  const said = [
    ...(nodeName ? ["`nodeName`"] : []),
    ...(nodeSelector ? ["`nodeSelector`"] : []),
    ...(allNodes ? ["`allNodes`"] : []),
  ];
  const one = `exactly one of ${fields}, or \`allNodes\` is required ${when.replace("if", "when")}`;
  return [
    ...(nodeName === "" ? [invalid(`${path}.nodeName`, "", "must not be empty")] : []),
    ...(allNodes === false ? [invalid(`${path}.allNodes`, false, "must be either unset or set to true")] : []),
    ...(said.length === 0 ? [required(path, one)] : []),
    ...(said.length > 1 ? [invalid(path, `{${said.join(", ")}}`, one)] : []),
  ];
}

/** What a device takes of the node's own. Source: KEP-5517. */
function validateMapping(name: string, mapping: NodeAllocatableResourceMapping, device: Device, path: string) {
  const { allocationMultiplier: times, capacityKey: key } = mapping;
  const factor = times === undefined ? undefined : parseQuantity(times);
  const isUnknown = key !== undefined && key !== "" && device.capacity?.[key] === undefined;
  return [
    ...(isNative(name) ? [] : [invalid(path, name, "must be a node allocatable resource name")]),
    ...(times === undefined && key === undefined
      ? [invalid(path, "", "at least one of allocationMultiplier or capacityKey must be set")]
      : []),
    ...(factor && factor.nano <= 0n ? [invalid(`${path}.allocationMultiplier`, times, "must be positive")] : []),
    ...(key === "" ? [invalid(`${path}.capacityKey`, "", "capacityKey must not be an empty string")] : []),
    ...(isUnknown ? [notFound(`${path}.capacityKey`, key)] : []),
  ];
}

function validateProperties({ attributes = {}, capacity = {}, allowMultipleAllocations }: Device, path: string) {
  const total = Object.keys(attributes).length + Object.keys(capacity).length;
  const values = Object.values(attributes).reduce((sum, a) => sum + valuesIn(a), 0);
  const limit = (what: string, most: number): string => `the total number of ${what} must not exceed ${most}`;
  return [
    ...(total > mostAttributes ? [invalid(path, total, limit("attributes and capacities", mostAttributes))] : []),
    ...(values > mostValues ? [invalid(path, values, limit("attribute values", mostValues))] : []),
    ...Object.entries(attributes).flatMap(([name, value]) => [
      ...validateQualifiedDeviceName(name, `${path}.attributes`),
      ...validateAttribute(value, `${path}.attributes[${name}]`),
    ]),
    ...Object.entries(capacity).flatMap(([name, value]) => [
      ...validateQualifiedDeviceName(name, `${path}.capacity`),
      ...validateCapacity(value, `${path}.capacity[${name}]`, allowMultipleAllocations === true),
    ]),
  ];
}

/** What is wrong with a device in view of its slice. */
export function validateDevice(device: Device, path: string, isApart: boolean): readonly Problem[] {
  return [
    ...validateProperties(device, path),
    ...validateReach(device, path, isApart),
    ...Object.entries(device.nodeAllocatableResourceMappings ?? {}).flatMap(([name, mapping]) =>
      validateMapping(name, mapping, device, `${path}.nodeAllocatableResourceMappings[${name}]`),
    ),
  ];
}
