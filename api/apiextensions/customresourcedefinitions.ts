// CustomResourceDefinition: a kind that users bring.
import type { CustomResourceDefinition } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { extensionCategories } from "../admissionregistration/match-rules.ts";
import { validateCrd } from "./customresourcedefinitions-validate.ts";

type Spec = CustomResourceDefinition["spec"];

function specDefaults(spec: Spec): Spec {
  const { names } = spec;
  return {
    ...spec,
    names: {
      ...names,
      singular: names.singular || names.kind.toLowerCase(),
      listKind: names.listKind || `${names.kind}List`,
    },
  };
}

const storedIn = (spec: Spec): { readonly storedVersions: readonly string[] } => ({
  storedVersions: (spec.versions ?? []).filter((v) => v.storage).map((v) => v.name),
});

export const customResourceDefinitions = define<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  kind: "CustomResourceDefinition",
  shortNames: ["crd", "crds"],
  categories: extensionCategories,
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  published: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  generation: "spec",
  defaults: (d) => ({ ...d, spec: specDefaults(d.spec) }),
  onCreate: (crd) => ({
    ...crd,
    status: { acceptedNames: { kind: "", plural: "" }, conditions: [], ...storedIn(crd.spec) },
  }),
  validate: validateCrd,
  columns: [nameColumn, createdColumn],
});
