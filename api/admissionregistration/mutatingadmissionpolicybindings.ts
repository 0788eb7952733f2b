// MutatingAdmissionPolicyBinding: where a mutating policy holds, and with which parameters.
import type { MutatingAdmissionPolicyBinding } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, matchDefaults, paramText } from "./match-rules.ts";
import { validateMutatingBinding } from "./mutatingadmissionpolicies-validate.ts";

export const mutatingAdmissionPolicyBindings = define<MutatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
  schema: schemaOf("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding"),
  generation: "spec",
  defaults: (d) => ({
    ...d,
    spec: { ...d.spec, ...(d.spec?.matchResources && { matchResources: matchDefaults(d.spec.matchResources) }) },
  }),
  validate: validateMutatingBinding,
  columns: [
    nameColumn,
    { name: "PolicyName", cell: (b) => b.spec.policyName ?? "" },
    { name: "ParamRef", cell: (b) => paramText(b.spec.paramRef) },
    ageColumn,
  ],
});
