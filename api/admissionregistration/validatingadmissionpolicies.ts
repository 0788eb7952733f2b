// ValidatingAdmissionPolicy: a rule in CEL about what may be written.
import type { ValidatingAdmissionPolicy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, paramKindText } from "./match-rules.ts";
import { validatingRules, validatePolicy } from "./validatingadmissionpolicies-validate.ts";

export const validatingAdmissionPolicies = define<ValidatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  kind: "ValidatingAdmissionPolicy",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  generation: "spec",
  rules: validatingRules,
  validate: validatePolicy,
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", cell: (p) => p.spec.validations?.length ?? 0 },
    { name: "ParamKind", cell: (p) => paramKindText(p.spec.paramKind) },
    ageColumn,
  ],
});
