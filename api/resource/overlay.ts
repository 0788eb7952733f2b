// Facts that the published schemas of the resource group (dynamic resource allocation) lack.
import {
  type Facts,
  labelKey,
  needed,
  neededLabel,
  neededSubdomain,
  otherwise,
  type Overlay,
  present,
  subdomain,
} from "../overlay.ts";

const driver: Facts = { nonEmpty: true, format: "driver-name" };
const few: Facts = { maxItems: 32 };
const fewByName: Facts = { maxItems: 32, unique: "name" };
const exact: Overlay[string] = {
  allocationMode: otherwise("ExactCount"),
  deviceClassName: neededSubdomain,
  selectors: few,
};
const bindable: Overlay[string] = {
  bindingConditions: { maxItems: 4, unique: true, items: labelKey },
  bindingFailureConditions: { maxItems: 4, unique: true, items: labelKey },
};
const device: Overlay[string] = {
  device: neededLabel,
  driver,
  pool: { nonEmpty: true, format: "pool-name" },
};
const counters: Facts = { nonEmpty: true, maxProperties: 32 };
const text: Facts = { maxLength: 64 };
const version: Facts = { maxLength: 64, format: "semantic-version" };

export const resourceOverlay: Overlay = {
  AllocatedDeviceStatus: {
    ...device,
    shareID: { format: "uid" },
    conditions: { maxItems: 8, unique: "type" },
    data: { format: "driver-data" },
  },
  CELDeviceSelector: { expression: { maxLength: 10_240 } },
  CounterSet: { name: neededLabel, counters },
  Device: {
    ...bindable,
    consumesCounters: { maxItems: 2, unique: "counterSet" },
    name: neededLabel,
    nodeName: subdomain,
    taints: { maxItems: 16, ratcheting: true },
  },
  DeviceAllocationConfiguration: { opaque: needed, source: needed },
  DeviceAllocationResult: { config: { maxItems: 64 }, results: few },
  DeviceAttribute: { string: text, strings: { items: text }, version, versions: { items: version } },
  DeviceClaim: { config: few, constraints: few, requests: fewByName },
  DeviceClaimConfiguration: { opaque: needed },
  DeviceClassConfiguration: { opaque: needed },
  DeviceClassSpec: { config: few, selectors: few },
  DeviceCounterConsumption: { counterSet: neededLabel, counters },
  DeviceRequest: { firstAvailable: { maxItems: 8, unique: "name" }, name: neededLabel },
  DeviceRequestAllocationResult: { ...device, ...bindable },
  DeviceSelector: { cel: needed },
  DeviceSubRequest: { ...exact, name: neededLabel },
  DeviceTaint: { effect: needed, key: labelKey, value: { format: "k8s-label-value" } },
  DeviceToleration: { key: { ...labelKey, omitZero: true }, operator: needed, effect: { omitZero: true } },
  ExactDeviceRequest: exact,
  NetworkDeviceData: {
    hardwareAddress: { maxLength: 128 },
    interfaceName: { maxLength: 256 },
    ips: { maxItems: 16, unique: true, items: { format: "interface-address" } },
  },
  OpaqueDeviceConfiguration: { driver, parameters: { format: "driver-data" } },
  ResourceClaim: { spec: { immutable: true }, status: present },
  ResourceClaimConsumerReference: { name: needed, resource: needed, uid: needed },
  ResourceClaimSpec: { devices: present },
  ResourceClaimStatus: { reservedFor: { maxItems: 256, unique: "uid" } },
  ResourceClaimTemplate: { spec: { immutable: true } },
  ResourceClaimTemplateSpec: { metadata: present },
  ResourcePool: {
    generation: { bounds: [0, null, "must be greater than or equal to zero"] },
    name: { nonEmpty: true, format: "pool-name", immutable: true },
    resourceSliceCount: { bounds: [1, null, "must be greater than zero"] },
  },
  ResourceSliceSpec: {
    devices: { unique: "name" },
    driver: { ...driver, immutable: true },
    nodeName: { ...subdomain, immutable: true },
    sharedCounters: { maxItems: 8, unique: "name" },
  },
};
