// ValidatingAdmissionPolicy: a rule in CEL about what may be written.
import type { ValidatingAdmissionPolicy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, matchDefaults, paramKindText } from "./match-rules.ts";
import { validatePolicy } from "./validatingadmissionpolicies-validate.ts";

export const validatingAdmissionPolicies = define<ValidatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  published: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  schema: schemaOf("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy"),
  generation: "spec",
  defaults: (d) => ({
    ...d,
    spec: {
      ...d.spec,
      failurePolicy: d.spec?.failurePolicy ?? "Fail",
      ...(d.spec?.matchConstraints && { matchConstraints: matchDefaults(d.spec.matchConstraints) }),
    },
    status: d.status ?? {},
  }),
  validate: validatePolicy,
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", cell: (p) => p.spec.validations?.length ?? 0 },
    { name: "ParamKind", cell: (p) => paramKindText(p.spec.paramKind) },
    ageColumn,
  ],
});
