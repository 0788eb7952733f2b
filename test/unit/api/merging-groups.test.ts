// Merge keys and list types of networking, storage, rbac and resource kinds.
import { expect, test } from "vitest";
import { resolve, type Schema, schemaOf } from "../../../api/schema.ts";

const k8s = "io.k8s.api.";
const byName = ["map", ["name"], "merge", "name"] as const;
const byType = ["map", ["type"]] as const;
const set = ["set"] as const;
const atomic = ["atomic"] as const;

const lists: readonly (readonly [of: string, field: string, how: readonly unknown[]])[] = [
  ["networking.v1.ServiceCIDRStatus", "conditions", [...byType, "merge", "type"]],
  ["networking.v1.IngressSpec", "rules", atomic],
  ["discovery.v1.EndpointSlice", "endpoints", atomic],
  ["discovery.v1.Endpoint", "addresses", set],
  ["storage.v1.CSINodeSpec", "drivers", byName],
  ["storage.v1.CSIDriverSpec", "volumeLifecycleModes", set],
  ["storage.v1.StorageClass", "mountOptions", atomic],
  ["rbac.v1.Role", "rules", atomic],
  ["rbac.v1.RoleBinding", "subjects", atomic],
  ["certificates.v1.CertificateSigningRequestStatus", "conditions", byType],
  ["certificates.v1.CertificateSigningRequestSpec", "usages", atomic],
  ["admissionregistration.v1.MutatingWebhookConfiguration", "webhooks", byName],
  ["admissionregistration.v1.ValidatingWebhookConfiguration", "webhooks", byName],
  ["admissionregistration.v1.ValidatingWebhook", "matchConditions", byName],
  ["admissionregistration.v1.ValidatingWebhook", "rules", atomic],
  ["admissionregistration.v1.ValidatingAdmissionPolicySpec", "variables", byName],
  ["admissionregistration.v1.ValidatingAdmissionPolicySpec", "validations", atomic],
  ["admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", "validationActions", set],
  ["admissionregistration.v1.MutatingAdmissionPolicySpec", "matchConditions", byName],
  ["admissionregistration.v1.MutatingAdmissionPolicySpec", "variables", atomic],
  ["flowcontrol.v1.FlowSchemaStatus", "conditions", [...byType, "merge", "type"]],
  ["flowcontrol.v1.ResourcePolicyRule", "verbs", set],
  ["flowcontrol.v1.FlowSchemaSpec", "rules", atomic],
  ["resource.v1.ResourceClaimStatus", "devices", ["map", ["driver", "device", "pool", "shareID"]]],
  ["resource.v1.ResourceClaimStatus", "reservedFor", ["map", ["uid"], "merge", "uid"]],
  ["resource.v1.ResourceSliceSpec", "devices", atomic],
];
const fieldOf = (of: string, field: string): Schema => schemaOf(k8s + of).properties![field]!;
const howOf = (schema: Schema): readonly unknown[] =>
  [
    schema["x-kubernetes-list-type"],
    schema["x-kubernetes-list-map-keys"],
    schema["x-kubernetes-patch-strategy"],
    schema["x-kubernetes-patch-merge-key"],
  ].filter((v) => v !== undefined);

for (const [of, field, how] of lists)
  test(`merging: ${of}.${field} is ${how[0] === "map" ? `keyed by ${how[1]}` : `${how[0]}`}`, () =>
    expect(howOf(fieldOf(of, field))).toEqual(how));

for (const of of [
  "networking.v1.ServiceBackendPort",
  "discovery.v1.EndpointPort",
  "rbac.v1.RoleRef",
  "rbac.v1.Subject",
  "admissionregistration.v1.MatchResources",
  "admissionregistration.v1.NamedRuleWithOperations",
  "admissionregistration.v1.ParamKind",
  "admissionregistration.v1.ParamRef",
  "admissionregistration.v1.Variable",
])
  test(`merging: ${of} is one value`, () => expect(schemaOf(k8s + of)["x-kubernetes-map-type"]).toBe("atomic"));

test("merging: the client configuration of a webhook is granular", () =>
  expect(schemaOf(`${k8s}admissionregistration.v1.ServiceReference`)["x-kubernetes-map-type"]).toBeUndefined());

const quantities: readonly (readonly [of: string, field: string])[] = [
  ["storage.v1.CSIStorageCapacity", "capacity"],
  ["storage.v1.CSIStorageCapacity", "maximumVolumeSize"],
  ["node.v1.Overhead", "podFixed"],
  ["resource.v1.Counter", "value"],
  ["resource.v1.DeviceCapacity", "value"],
  ["resource.v1.CapacityRequestPolicy", "default"],
  ["resource.v1.CapacityRequestPolicy", "validValues"],
  ["resource.v1.CapacityRequirements", "requests"],
];
for (const [of, field] of quantities)
  test(`quantities: ${of}.${field} may be a number`, () => {
    const schema = fieldOf(of, field);
    expect((schema.items ?? schema.additionalProperties ?? resolve(schema)).format).toBe("quantity");
  });
