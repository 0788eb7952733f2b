// MutatingAdmissionPolicyBinding: where a mutating policy holds, and with which parameters.
import type { MutatingAdmissionPolicyBinding } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, paramText } from "./match-rules.ts";
import { validateMatch } from "./match-rules-validate.ts";
import { policyRules } from "./policy-specs-validate.ts";

export const mutatingAdmissionPolicyBindings = define<MutatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  kind: "MutatingAdmissionPolicyBinding",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  generation: "spec",
  rules: policyRules,
  validate: ({ spec }) => validateMatch(spec.matchResources),
  columns: [
    nameColumn,
    { name: "PolicyName", cell: (b) => b.spec.policyName ?? "" },
    { name: "ParamRef", cell: (b) => paramText(b.spec.paramRef) },
    ageColumn,
  ],
});
