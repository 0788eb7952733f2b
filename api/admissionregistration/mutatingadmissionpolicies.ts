// MutatingAdmissionPolicy: a change in CEL to what is about to be written.
import type { MutatingAdmissionPolicy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories, matchDefaults, paramKindText } from "./match-rules.ts";
import { validateMutatingPolicy } from "./mutatingadmissionpolicies-validate.ts";

export const mutatingAdmissionPolicies = define<MutatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
  schema: schemaOf("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy"),
  generation: "spec",
  defaults: (d) => ({
    ...d,
    spec: {
      ...d.spec,
      failurePolicy: d.spec?.failurePolicy ?? "Fail",
      ...(d.spec?.matchConstraints && { matchConstraints: matchDefaults(d.spec.matchConstraints) }),
    },
  }),
  validate: validateMutatingPolicy,
  columns: [
    nameColumn,
    { name: "Mutations", type: "integer", cell: (p) => p.spec.mutations?.length ?? 0 },
    { name: "ParamKind", cell: (p) => paramKindText(p.spec.paramKind) },
    ageColumn,
  ],
});
