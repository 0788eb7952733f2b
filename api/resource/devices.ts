// Devices that a driver publishes: attributes, capacities, counters, and the nodes that have access to them.
import type { Problem } from "../errors.ts";
import type {
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
  NodeAllocatableResourceMapping,
} from "../generated/types.ts";
import { validateLabelName } from "../names.ts";
import { invalid, none, notFound, required, together } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { isNative } from "../resource-names.ts";
import type { Rules } from "../validation.ts";
import { validateCapacity } from "./device-capacity.ts";
import { validateQualifiedDeviceName } from "./device-names.ts";
import { deviceRules, validateBinding } from "./device-requests.ts";

const mostAttributes = 32;
const mostValues = 48;
const lists = ["bools", "ints", "strings", "versions"] as const;

/** Whether an attribute has a list of values. */
export const isList = (a: DeviceAttribute): boolean => lists.some((field) => a[field] !== undefined);
const valuesIn = (a: DeviceAttribute): number => lists.reduce((sum, field) => sum + (a[field]?.length ?? 0), 0) || 1;

function validateAttribute(a: DeviceAttribute): readonly Problem[] {
  const set = Object.values(a).filter((value) => value !== undefined).length;
  return together(
    ...lists.map((field) => a[field]?.length === 0 && invalid(field, a[field], "must not be empty if specified")),
    set !== 1 && invalid("", set === 0 ? "" : a, "exactly one value must be specified"),
  );
}

/** Reports unless exactly one of these fields is set. */
export function validateExactlyOne(fields: object, path: string, detail: string, more = detail): readonly Problem[] {
  const set = Object.entries(fields).flatMap(([field, value]) => (value ? [`\`${field}\``] : []));
  return together(
    set.length === 0 && required(path, detail),
    set.length > 1 && invalid(path, `{${set.join(", ")}}`, more),
  );
}

const when = "if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
const oneOfNodes = `exactly one of \`nodeName\`, \`nodeSelector\`, or \`allNodes\` is required ${when.replace("if", "when")}`;

/** The nodes that have access to a device, where its slice does not give them for all devices. */
export function validateNodes(device: Device, path: string, isPerDevice: boolean): readonly Problem[] {
  const { nodeName, nodeSelector, allNodes } = device;
  if (!isPerDevice)
    return nodeName === undefined && nodeSelector === undefined && allNodes === undefined
      ? none
      : [invalid(path, null, `\`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set ${when}`)];
  return together(
    nodeName === "" && invalid(`${path}.nodeName`, "", "must not be empty"),
    allNodes === false && invalid(`${path}.allNodes`, false, "must be either unset or set to true"),
    validateExactlyOne({ nodeName, nodeSelector, allNodes }, path, oneOfNodes),
  );
}

/** The resources of a node that an allocation of the device consumes. Source: KEP-5517. */
function validateMapping(name: string, mapping: NodeAllocatableResourceMapping, device: Device, path: string) {
  const { allocationMultiplier: times, capacityKey: key } = mapping;
  const factor = times === undefined ? undefined : parseQuantity(times);
  return together(
    !isNative(name) && invalid(path, name, "must be a node allocatable resource name"),
    times === undefined &&
      key === undefined &&
      invalid(path, "", "at least one of allocationMultiplier or capacityKey must be set"),
    factor && factor.nano <= 0n && invalid(`${path}.allocationMultiplier`, times, "must be positive"),
    key === "" && invalid(`${path}.capacityKey`, "", "capacityKey must not be an empty string"),
    key && device.capacity?.[key] === undefined && notFound(`${path}.capacityKey`, key),
  );
}

function validateDevice(device: Device): readonly Problem[] {
  const { attributes = {}, capacity = {}, nodeAllocatableResourceMappings: mappings = {} } = device;
  const total = Object.keys(attributes).length + Object.keys(capacity).length;
  const values = Object.values(attributes).reduce((sum, a) => sum + valuesIn(a), 0);
  const limit = (what: string, most: number): string => `the total number of ${what} must not exceed ${most}`;
  return together(
    total > mostAttributes && invalid("", total, limit("attributes and capacities", mostAttributes)),
    values > mostValues && invalid("", values, limit("attribute values", mostValues)),
    ...Object.keys(attributes).map((name) => validateQualifiedDeviceName(name, "attributes")),
    ...Object.keys(capacity).map((name) => validateQualifiedDeviceName(name, "capacity")),
    ...Object.entries(capacity).map(([name, c]) =>
      validateCapacity(c, `capacity[${name}]`, device.allowMultipleAllocations === true),
    ),
    ...Object.entries(mappings).map(([name, mapping]) =>
      validateMapping(name, mapping, device, `nodeAllocatableResourceMappings[${name}]`),
    ),
    validateBinding(device),
  );
}

const validateCounters = ({ counters }: CounterSet | DeviceCounterConsumption): readonly Problem[] =>
  Object.keys(counters).flatMap((name) => validateLabelName(name, "counters"));

/** Rules of the types in a slice. */
export const sliceRules: Rules = {
  ...deviceRules,
  CounterSet: validateCounters,
  Device: validateDevice,
  DeviceAttribute: validateAttribute,
  DeviceCounterConsumption: validateCounters,
};
