// MutatingAdmissionPolicy: a change in CEL to what is about to be written.
import type { MutatingAdmissionPolicy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, paramKindText } from "./match-rules.ts";
import { mutatingRules, validateMutatingPolicy } from "./mutatingadmissionpolicies-validate.ts";

export const mutatingAdmissionPolicies = define<MutatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  kind: "MutatingAdmissionPolicy",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  generation: "spec",
  rules: mutatingRules,
  validate: validateMutatingPolicy,
  columns: [
    nameColumn,
    { name: "Mutations", type: "integer", cell: (p) => p.spec.mutations?.length ?? 0 },
    { name: "ParamKind", cell: (p) => paramKindText(p.spec.paramKind) },
    ageColumn,
  ],
});
