// IngressClass: who carries out ingresses, and the one to take when an ingress does not say.
import type { Problem } from "../errors.ts";
import type { IngressClass, IngressClassParametersReference } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateDomainPath, validateLabelName, validateSubdomainName } from "../names.ts";
import { forbidden, required, tooLong, unchanged, unsupported } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateLocalReference } from "../core/references-validate.ts";

const longestController = 250;
const scopes = ["Cluster", "Namespace"];

function validateScope({ scope, namespace }: IngressClassParametersReference, path: string): readonly Problem[] {
  if (scope === undefined) return [required(`${path}.scope`)];
  if (!scopes.includes(scope)) return [unsupported(`${path}.scope`, scope, scopes)];
  if (scope === "Cluster")
    return namespace === undefined ? [] : [forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'")];
  return namespace === undefined
    ? [required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'")]
    : validateLabelName(namespace, `${path}.namespace`);
}

function validate({ metadata, spec }: Draft<IngressClass>, old?: IngressClass): readonly Problem[] {
  const { controller = "", parameters } = spec ?? {};
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...(old ? unchanged(controller, old.spec.controller, "spec.controller") : []),
    ...(controller === "" ? [required("spec.controller")] : validateDomainPath(controller, "spec.controller")),
    ...(controller.length > longestController ? [tooLong("spec.controller", longestController)] : []),
    ...(parameters
      ? [...validateLocalReference(parameters, "spec.parameters"), ...validateScope(parameters, "spec.parameters")]
      : []),
  ];
}

const parametersText = (p: IngressClassParametersReference): string =>
  `${p.kind}${p.apiGroup === undefined ? "" : `.${p.apiGroup}`}/${p.name}`;

export const ingressClasses = define<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  scope: "Cluster",
  published: "io.k8s.api.networking.v1.IngressClass",
  schema: schemaOf("io.k8s.api.networking.v1.IngressClass"),
  generation: "spec",
  defaults: (d) =>
    d.spec?.parameters
      ? { ...d, spec: { ...d.spec, parameters: { ...d.spec.parameters, scope: d.spec.parameters.scope ?? "Cluster" } } }
      : { ...d, spec: d.spec ?? {} },
  validate,
  columns: [
    nameColumn,
    { name: "Controller", cell: (c) => c.spec?.controller ?? "" },
    { name: "Parameters", cell: (c) => (c.spec?.parameters ? parametersText(c.spec.parameters) : "<none>") },
    ageColumn,
  ],
});
