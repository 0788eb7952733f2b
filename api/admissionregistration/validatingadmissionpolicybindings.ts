// ValidatingAdmissionPolicyBinding: where a validating policy holds, and with which parameters.
import type { ValidatingAdmissionPolicyBinding } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, paramText } from "./match-rules.ts";
import { policyRules } from "./policy-specs-validate.ts";
import { validateBinding } from "./validatingadmissionpolicies-validate.ts";

export const validatingAdmissionPolicyBindings = define<ValidatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  kind: "ValidatingAdmissionPolicyBinding",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  generation: "spec",
  rules: policyRules,
  validate: validateBinding,
  columns: [
    nameColumn,
    { name: "PolicyName", cell: (b) => b.spec.policyName ?? "" },
    { name: "ParamRef", cell: (b) => paramText(b.spec.paramRef) },
    ageColumn,
  ],
});
