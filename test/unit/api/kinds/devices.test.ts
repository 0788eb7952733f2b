// Resource claims, device classes and resource slices: validation and status.
import { expect, test } from "vitest";
import { deviceClasses } from "../../../../api/resource/deviceclasses.ts";
import { resourceClaims, resourceClaimTemplates } from "../../../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../../../api/resource/resourceslices.ts";
import { stored, changes, refuses, messagesOf } from "./validation-cases.ts";

const claim = (exactly: object = {}, more: object = {}): object => ({
  spec: { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpus", ...exactly } }], ...more } },
});
const labelForm =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

refuses(resourceClaims, [
  [
    "invalid tolerations",
    claim({ tolerations: [{ key: "-", operator: "Exists", value: "x" }, { operator: "Gt", effect: "Never" }, {}] }),
    `spec.devices.requests[0].exactly.tolerations[0].key: Invalid value: "-": ${labelForm}`,
    'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "x": must be empty for operator `Exists`',
    'spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Gt": supported values: "Equal", "Exists"',
    'spec.devices.requests[0].exactly.tolerations[1].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
    "spec.devices.requests[0].exactly.tolerations[2].operator: Required value",
  ],
  [
    "too many requests, whose items are not validated",
    { spec: { devices: { requests: Array.from({ length: 33 }, () => ({ name: "a" })) } } },
    "spec.devices.requests: Too many: 33: must have at most 32 items",
  ],
  [
    "driver parameters that are not an object",
    claim({}, { config: [{ opaque: { driver: "d.example", parameters: [1] } }, { opaque: { driver: "d.example" } }] }),
    'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
    "spec.devices.config[1].opaque.parameters: Required value",
  ],
  [
    "driver parameters that are too long",
    claim({}, { config: [{ opaque: { driver: "d.example", parameters: { a: "x".repeat(10_240) } } }] }),
    "spec.devices.config[0].opaque.parameters: Too long: may not be more than 10240 bytes",
  ],
]);
test("the spec of a claim is immutable", () => {
  const [next, old] = [claim({ count: 2 }), claim()].map((draft) => stored(resourceClaims, draft));
  expect(messagesOf(resourceClaims.validate(next!, old))).toEqual([
    expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/),
  ]);
});
refuses(resourceClaimTemplates, [
  [
    "annotations with an invalid key",
    { spec: { metadata: { annotations: { "-": "" } }, ...(claim() as object) } },
    `spec.metadata.annotations: Invalid value: "-": ${labelForm}`,
  ],
]);
refuses(deviceClasses, [
  [
    "an extended resource name in the kubernetes.io domain",
    { spec: { extendedResourceName: "cpu" } },
    'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
  ],
]);

const slice = (device: object, more: object = {}): object => ({
  spec: {
    driver: "d.example",
    nodeName: "n",
    pool: { name: "p", resourceSliceCount: 1 },
    devices: [{ name: "a", ...device }],
    ...more,
  },
});
const at = "spec.devices[0]";
refuses(resourceSlices, [
  [
    "a selector with alternatives",
    slice({}, { nodeName: undefined, nodeSelector: { nodeSelectorTerms: [] } }),
    "spec.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term",
    "spec.nodeSelector.nodeSelectorTerms: Invalid value: []: must have exactly one node selector term",
  ],
  [
    "attributes with no value, or several",
    slice({ attributes: { none: {}, both: { int: 1, bool: true }, list: { strings: [] }, old: { versions: ["1"] } } }),
    `${at}.attributes[none]: Invalid value: "": exactly one value must be specified`,
    `${at}.attributes[both]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified`,
    `${at}.attributes[list].strings: Invalid value: []: must not be empty if specified`,
    `${at}.attributes[old].versions[0]: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0`,
  ],
  [
    "too many attribute values",
    slice({ attributes: { many: { ints: Array.from({ length: 49 }, (_, i) => i) } } }),
    `${at}: Invalid value: 49: the total number of attribute values must not exceed 48`,
  ],
  [
    "a request policy without multiple allocations",
    slice({ capacity: { memory: { value: "4Gi", requestPolicy: { default: "1Gi" } } } }),
    `${at}.capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true`,
  ],
  [
    "request policies that contradict their capacity",
    slice({
      allowMultipleAllocations: true,
      capacity: {
        both: { value: "4", requestPolicy: { validValues: ["1"], validRange: { min: "1" } } },
        unsaid: { value: "4", requestPolicy: { validValues: ["1"] } },
        values: { value: "4", requestPolicy: { default: "3", validValues: ["2", "1", "8"] } },
        range: { value: "4", requestPolicy: { default: "9", validRange: { min: "1", max: "8", step: "5" } } },
      },
    }),
    `${at}.capacity[both].requestPolicy: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time`,
    `${at}.capacity[unsaid].requestPolicy.default: Required value: required when validValues is defined`,
    `${at}.capacity[values].requestPolicy.validValues[1]: Invalid value: "1": values must be sorted in ascending order`,
    `${at}.capacity[values].requestPolicy.validValues[2]: Invalid value: "8": option is larger than capacity value: 4`,
    `${at}.capacity[values].requestPolicy.validValues: Invalid value: "3": default value is not valid according to the requestPolicy`,
    `${at}.capacity[range].requestPolicy.validRange.max: Invalid value: "8": max is larger than capacity value: 4`,
    `${at}.capacity[range].requestPolicy.validRange.max: Invalid value: "9": default is more than max: 8`,
    `${at}.capacity[range].requestPolicy.validRange.step: Invalid value: "5": one step 6 is larger than capacity value: 4`,
    `${at}.capacity[range].requestPolicy.validRange.step: Invalid value: "9": value is not a multiple of a given step (5) from (1)`,
    `${at}.capacity[range].requestPolicy.validRange.step: Invalid value: "8": value is not a multiple of a given step (5) from (1)`,
  ],
  [
    "consumed counters without a name",
    slice({ consumesCounters: [{ counterSet: "", counters: {} }] }),
    `${at}.consumesCounters[0].counterSet: Required value`,
    `${at}.consumesCounters[0].counters: Required value`,
  ],
  [
    "shared counters beside devices, and a duplicate counter set",
    slice(
      {},
      {
        sharedCounters: [
          { name: "s", counters: { c: { value: "1" } } },
          { name: "s", counters: { c: { value: "1" } } },
        ],
      },
    ),
    'spec.sharedCounters[1]: Duplicate value: "s"',
    'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
  ],
  [
    "node selection of a device without perDeviceNodeSelection",
    slice({ nodeName: "m" }),
    `${at}: Invalid value: null: \`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set if \`perDeviceNodeSelection\` is set to true in the ResourceSlice spec`,
  ],
  [
    "two node selections of one device",
    slice({ nodeName: "m", allNodes: true }, { nodeName: undefined, perDeviceNodeSelection: true }),
    `${at}: Invalid value: "{\`nodeName\`, \`allNodes\`}": exactly one of \`nodeName\`, \`nodeSelector\`, or \`allNodes\` is required when \`perDeviceNodeSelection\` is set to true in the ResourceSlice spec`,
  ],
  [
    "overlapping binding conditions",
    slice({ bindingConditions: ["a", "a"], bindingFailureConditions: ["a"] }),
    `${at}.bindingConditions[1]: Duplicate value: "a"`,
    `${at}.bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions`,
  ],
  [
    "binding conditions without failure conditions",
    slice({ bindingConditions: ["a"] }),
    `${at}.bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions`,
  ],
  [
    "invalid node allocatable resource mappings",
    slice({
      nodeAllocatableResourceMappings: { cpu: {}, "example.com/x": { capacityKey: "none", allocationMultiplier: "0" } },
    }),
    `${at}.nodeAllocatableResourceMappings[cpu]: Invalid value: "": at least one of allocationMultiplier or capacityKey must be set`,
    `${at}.nodeAllocatableResourceMappings[example.com/x]: Invalid value: "example.com/x": must be a node allocatable resource name`,
    `${at}.nodeAllocatableResourceMappings[example.com/x].allocationMultiplier: Invalid value: "0": must be positive`,
    `${at}.nodeAllocatableResourceMappings[example.com/x].capacityKey: Not found: "none"`,
  ],
]);
const bad = { taints: [{ key: "a", effect: "Never" }] };
changes(resourceSlices, [
  ["an existing invalid taint is not validated again", slice(bad), slice({ ...bad, attributes: { a: { int: 1 } } })],
]);

const deviceReference = { driver: "d.example", pool: "p", device: "a" };
const claimed = (status: object, old: object = {}): readonly string[] => {
  const storedClaim = stored(resourceClaims, claim());
  return messagesOf(resourceClaims.validateStatus({ ...storedClaim, status }, { ...storedClaim, status: old }));
};
const results = (more: object): object => ({
  allocation: { devices: { results: [{ request: "gpu", ...deviceReference, ...more }] } },
});

test("an allocation is validated when it is set, and immutable afterwards", () => {
  const path = "status.allocation.devices";
  expect(claimed(results({ tolerations: [{}], bindingConditions: ["a"], shareID: "x" }))).toEqual([
    `${path}.results[0].tolerations[0].operator: Required value`,
    `${path}.results[0].bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions`,
    `${path}.results[0].shareID: Invalid value: "x": error validating uid: invalid UUID length: 1`,
  ]);
  const uid = "0A000000-0000-4000-8000-000000000000";
  expect(claimed(results({ shareID: uid }))).toEqual([
    `${path}.results[0].shareID: Invalid value: "${uid}": uid must be in RFC 4122 normalized form, \`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\` with lowercase hexadecimal characters`,
  ]);
  const config = [{ source: "FromMe", requests: ["none"], opaque: { driver: "d.example", parameters: {} } }];
  expect(claimed({ allocation: { devices: { config }, nodeSelector: {} } })).toEqual([
    `${path}.config[0].source: Unsupported value: "FromMe": supported values: "FromClaim", "FromClass"`,
    "status.allocation.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term",
    `${path}.config[0].requests[0]: Invalid value: "none": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'`,
  ]);
  expect(claimed(results({ device: "b" }), results({}))).toEqual([
    expect.stringMatching(/^status.allocation: Invalid value: .*: field is immutable$/),
  ]);
});

test("the status of an allocated device", () => {
  const messages = (more: object): readonly string[] =>
    claimed({ ...results({}), devices: [{ ...deviceReference, ...more }] }, results({}));
  expect(messages({ data: { a: 1 }, networkData: { interfaceName: "eth0", ips: ["10.0.0.1/24"] } })).toEqual([]);
  expect(
    messages({
      conditions: [{ type: "Ready", status: "True" }],
      data: 1,
      networkData: {
        interfaceName: "x".repeat(257),
        ips: ["10.0.0.1", "2001:DB8::1/64", "10.0.0.1/24", "10.0.0.1/24"],
      },
    }),
  ).toEqual([
    "status.devices[0].conditions[0].lastTransitionTime: Required value",
    "status.devices[0].conditions[0].reason: Required value",
    'status.devices[0].data: Invalid value: "<value omitted>": must be a valid JSON object',
    "status.devices[0].networkData.interfaceName: Too long: may not be more than 256 bytes",
    'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
    'status.devices[0].networkData.ips[1]: Invalid value: "2001:DB8::1/64": must be in canonical form ("2001:db8::1/64")',
    'status.devices[0].networkData.ips[3]: Duplicate value: "10.0.0.1/24"',
  ]);
});

test("reservedFor has a limit and requires an allocation", () => {
  const consumer = (i: number): object => ({ resource: "pods", name: `p${i}`, uid: `u${i}` });
  expect(
    claimed({ ...results({}), reservedFor: Array.from({ length: 257 }, (_, i) => consumer(i)) }, results({})),
  ).toEqual(["status.reservedFor: Too many: 257: must have at most 256 items"]);
  expect(claimed({ reservedFor: [consumer(1), consumer(1)] })).toEqual([
    'status.reservedFor[1]: Duplicate value: "u1"',
    "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
  ]);
});
