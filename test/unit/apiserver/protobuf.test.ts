// Objects as an unmodified kubectl 1.33 sends them, recorded.
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { type Schema, schemaOf } from "../../../api/schema.ts";
import { decodeProtobuf } from "../../../apiserver/protobuf/decode.ts";
import numbers from "../../../apiserver/protobuf/field-numbers.json" with { type: "json" };

const recorded = (text: string): Uint8Array => Buffer.from(text, "base64");
const deployment = recorded(
  "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAASDAoKCgNhcHASA3dlYhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoFbmdpbngSB25naW54OjEqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==",
);
const secret = recorded("azhzAAoMCgJ2MRIGU2VjcmV0EiEKEQoBcxIAGgAiACoAMgA4AEIAEgoKBHVzZXISAm1lGgAaACIA");
const budget = recorded(
  "azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSMwoRCgFwEgAaACIAKgAyADgAQgASEgoGCAAQABoAEggKBgoBYRIBYhoKCAAYACAAKAAwABoAIgA=",
);
const quota = recorded("azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRIkChEKAXESABoAIgAqADIAOABCABINCgsKBHBvZHMSAwoBMBoAGgAiAA==");

test("protobuf: zero replicas of a deployment are kept, and unset fields are absent", () => {
  expect(decodeProtobuf(deployment)).toMatchObject({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "nginx", image: "nginx:1", ports: [{ containerPort: 80 }] }] },
      },
    },
  });
  expect(decodeProtobuf(deployment)).not.toHaveProperty("spec.minReadySeconds");
});
/** As the clients of apiextensions send it. */
const definition = recorded(
  "azhzAAozChdhcGlleHRlbnNpb25zLms4cy5pby92MRIYQ3VzdG9tUmVzb3VyY2VEZWZpbml0aW9uEvsDCiAKEGFwcHMuZXhhbXBsZS5jb20SABoAIgAqADIAOABCABLIAwoLZXhhbXBsZS5jb20aDwoEYXBwcxIAIgNBcHAqACIKTmFtZXNwYWNlZDqZAwoCdjEQARgAIogDCoUDCgASACIAKgZvYmplY3QyADoAUABgAHoAkAEA6gHdAgoEc3BlYxLUAgoAEgAiACoGb2JqZWN0MgA6AFAAYAB6AJABAOoBUQoBbBJMCgASACIAKgVhcnJheTIAOgBQAGAAegCQAQDCASYKJAoAEgAiACoGc3RyaW5nMgA6AFAAYAB6AJABAKgCALgCAMACAKgCALgCAMACAOoBVAoBbRJPCgASACIAKgZvYmplY3QyADoAUABgAHoAkAEA8gEoCAESJAoAEgAiACoGc3RyaW5nMgA6AFAAYAB6AJABAKgCALgCAMACAKgCALgCAMACAOoBTgoBbhJJCgASACIAKgdpbnRlZ2VyMgA6AEIDCgEzUABZAAAAAAAAAABgAHoAkAEAogEDCgExogEFCgMyLjWiAQUKAyJ4IqgCALgCAMACAOoBLgoBbxIpCgASACIAKgZvYmplY3QyADoAUABgAHoAkAEA8gECCAGoAgC4AgDAAgCoAgCwAgG4AgDAAgCoAgC4AgDAAgAqAgoAOABQABoMEggKABIAIgAqACAAGgAiAA==",
);

test("protobuf: a schema has values of any type, and fields of several forms", () => {
  const [version] = (decodeProtobuf(definition)["spec"] as { versions: readonly object[] }).versions;
  const spec = {
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
    properties: {
      n: { type: "integer", minimum: 0, default: 3, enum: [1, 2.5, "x"] },
      l: { type: "array", items: { type: "string" } },
      m: { type: "object", additionalProperties: { type: "string" } },
      o: { type: "object", additionalProperties: true },
    },
  };
  expect(version).toEqual({
    ...{ name: "v1", served: true, storage: false, subresources: { status: {} } },
    schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
  });
});

test("protobuf: bytes in a map are base64", () => {
  expect(decodeProtobuf(secret)).toEqual({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s" },
    data: { user: "bWU=" },
  });
});
test("protobuf: minAvailable zero of a budget is kept", () => {
  expect(decodeProtobuf(budget)["spec"]).toEqual({ minAvailable: 0, selector: { matchLabels: { a: "b" } } });
});
test("protobuf: an empty failedIndexes of a job is kept", () => {
  const job = recorded("azhzAAoPCghiYXRjaC92MRIDSm9iEgkKAwoBahoCUgA=");
  expect(decodeProtobuf(job)["status"]).toEqual({ failedIndexes: "" });
});
test("protobuf: an object without fields is an empty one", () => {
  const group = recorded("azhzAAomChpzY2hlZHVsaW5nLms4cy5pby92MWFscGhhMhIIUG9kR3JvdXASDQoDCgFnEgQSAgoAGgA=");
  expect(decodeProtobuf(group)["spec"]).toEqual({ schedulingPolicy: { basic: {} } });
});
test("protobuf: quantities in a map keep their text", () => {
  expect(decodeProtobuf(quota)["spec"]).toEqual({ hard: { pods: "0" } });
});

test("protobuf: microsecond times of leases and events", () => {
  const lease = recorded(
    "azhzAAofChZjb29yZGluYXRpb24uazhzLmlvL3YxEgVMZWFzZRI1ChEKAWwSABoAIgAqADIAOABCABIgCgNvbmUQDxoICIDiz6oGEAAiCwiA4s+qBhCAlO86KAAaACIA",
  );
  const event = recorded(
    "azhzAAoZChBldmVudHMuazhzLmlvL3YxEgVFdmVudBJdChEKAWUSABoAIgAqADIAOABCABILCIDiz6oGEICU7zoaDwgCEgsIgOLPqgYQgJTvOiIAKgAyADoEVGVzdEIOCgASABoAIgAqADIAOgBSAFoAYgQKABIAagByAHgAGgAiAA==",
  );
  expect(decodeProtobuf(lease)["spec"]).toEqual({
    holderIdentity: "one",
    leaseDurationSeconds: 15,
    acquireTime: "2023-11-14T22:13:20Z",
    renewTime: "2023-11-14T22:13:20.123456Z",
    leaseTransitions: 0,
  });
  expect(decodeProtobuf(event)).toMatchObject({
    eventTime: "2023-11-14T22:13:20.123456Z",
    series: { count: 2, lastObservedTime: "2023-11-14T22:13:20.123456Z" },
  });
});

const fields = new Map<string, string>(Object.entries(numbers));
const messageOf = (schema: Schema): string => schema.$ref?.slice(schema.$ref.lastIndexOf("/") + 1) ?? "";

/** The fields of a message, with those of its inlined messages. */
function encodedFields(message: string): string[] {
  const names = (fields.get(message) ?? "").split(" ").map((field) => field.slice(field.indexOf(":") + 1));
  return names.flatMap((field) => (field.startsWith("...") ? encodedFields(field.slice(3)) : [field]));
}

/** Every message reachable from the built-in kinds. */
function messages(from: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of from.filter((n) => n.startsWith("io.k8s.api.") && !found.has(n))) {
    const parts = Object.values(schemaOf(name).properties ?? {});
    const inner = parts.flatMap((p) => [p, p.items ?? {}, p.additionalProperties ?? {}]).map((p) => messageOf(p));
    messages(inner, found.add(name));
  }
  return found;
}

/** Fields of alpha features, whose names and numbers changed in later versions. */
const unsettled = new Set([
  "io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus.resources",
  "io.k8s.api.resource.v1.Device.nodeAllocatableResourceMappings",
  "io.k8s.api.resource.v1.NodeAllocatableResourceMapping.allocationMultiplier",
  "io.k8s.api.resource.v1.NodeAllocatableResourceMapping.capacityKey",
]);

test("protobuf: every field of every built-in kind has a field number", () => {
  const lost = [...messages(builtinKinds.map((k) => k.published))].flatMap((message) => {
    const known = new Set([...encodedFields(message), "apiVersion", "kind"]);
    const unnumbered = Object.keys(schemaOf(message).properties ?? {}).filter((field) => !known.has(field));
    return unnumbered.map((field) => `${message}.${field}`);
  });
  expect(lost.filter((field) => !unsettled.has(field))).toEqual([]);
});
test("protobuf: truncated messages and other prefixes are refused in bounded time", () => {
  for (let length = 0; length < deployment.length; length++) {
    try {
      decodeProtobuf(deployment.subarray(0, length));
    } catch (e) {
      expect(e).toBeInstanceOf(Error);
    }
  }
  expect(() => decodeProtobuf(Buffer.from("{}"))).toThrow(/envelope/);
});

/** The field that is zero or false in a message of its kind. */
const zeros: readonly (readonly [apiVersion: string, kind: string, message: string, path: string])[] = [
  ["storage.k8s.io/v1", "StorageClass", "io.k8s.api.storage.v1.StorageClass", "allowVolumeExpansion"],
  ["storage.k8s.io/v1", "CSIDriver", "io.k8s.api.storage.v1.CSIDriver", "spec.attachRequired"],
  ["storage.k8s.io/v1", "CSIDriver", "io.k8s.api.storage.v1.CSIDriver", "spec.storageCapacity"],
];
const numberOf = (message: string, field: string): number =>
  Number(
    (numbers as Record<string, string>)
      [message]!.split(" ")
      .find((f) => f.endsWith(`:${field}`))!
      .split(":")[0],
  );
const nested = (number: number, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
test.each(zeros)("protobuf: %s %s keeps what is false in %s: %s", (apiVersion, kind, of, path) => {
  const [first, second] = path.split(".") as [string, string?];
  const zero = (message: string, field: string): Uint8Array => Buffer.from([numberOf(message, field) << 3, 0]);
  const content = second ? nested(numberOf(of, first), zero(`${of}Spec`, second)) : zero(of, first);
  const type = Buffer.concat([nested(1, Buffer.from(apiVersion)), nested(2, Buffer.from(kind))]);
  const sent = Buffer.concat([Buffer.from("k8s\0"), nested(1, type), nested(2, content)]);
  expect(decodeProtobuf(sent)).toHaveProperty(path, false);
});

test.each([
  ["bool", 3, false],
  ["int", 2, 0],
])("protobuf: an attribute of a device whose %s is nothing is kept", (field, number, value) => {
  const attribute = Buffer.concat([nested(1, Buffer.from("a")), nested(2, Buffer.from([number << 3, 0]))]);
  const content = nested(2, nested(6, nested(2, attribute)));
  const type = Buffer.concat([nested(1, Buffer.from("resource.k8s.io/v1")), nested(2, Buffer.from("ResourceSlice"))]);
  const sent = Buffer.concat([Buffer.from("k8s\0"), nested(1, type), nested(2, content)]);
  expect(decodeProtobuf(sent)).toMatchObject({ spec: { devices: [{ attributes: { a: { [field]: value } } }] } });
});
