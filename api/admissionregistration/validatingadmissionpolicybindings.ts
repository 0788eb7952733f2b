// ValidatingAdmissionPolicyBinding: where a validating policy holds, and with which parameters.
import type { ValidatingAdmissionPolicyBinding } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, matchDefaults, paramText } from "./match-rules.ts";
import { validateBinding } from "./validatingadmissionpolicies-validate.ts";

export const validatingAdmissionPolicyBindings = define<ValidatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  schema: schemaOf("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding"),
  generation: "spec",
  defaults: (d) => ({
    ...d,
    spec: { ...d.spec, ...(d.spec?.matchResources && { matchResources: matchDefaults(d.spec.matchResources) }) },
  }),
  validate: validateBinding,
  columns: [
    nameColumn,
    { name: "PolicyName", cell: (b) => b.spec.policyName ?? "" },
    { name: "ParamRef", cell: (b) => paramText(b.spec.paramRef) },
    ageColumn,
  ],
});
