// IngressClass: the controller that implements ingresses of the class.
import type { Problem } from "../errors.ts";
import type { IngressClass, IngressClassParametersReference } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateLabelName } from "../names.ts";
import { forbidden, none, required } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

function validateScope({ scope, namespace }: IngressClassParametersReference): readonly Problem[] {
  const at = "namespace";
  if (scope === "Cluster")
    return namespace === undefined ? none : [forbidden(at, "`parameters.scope` is set to 'Cluster'")];
  if (scope !== "Namespace") return none;
  return namespace === undefined
    ? [required(at, "`parameters.scope` is set to 'Namespace'")]
    : validateLabelName(namespace, at);
}

const parametersText = (p: IngressClassParametersReference): string =>
  `${p.kind}${p.apiGroup === undefined ? "" : `.${p.apiGroup}`}/${p.name}`;

export const ingressClasses = define<IngressClass>({
  group: "networking.k8s.io",
  kind: "IngressClass",
  scope: "Cluster",
  generation: "spec",
  rules: { IngressClassParametersReference: validateScope },
  columns: [
    nameColumn,
    { name: "Controller", cell: (c) => c.spec?.controller ?? "" },
    { name: "Parameters", cell: (c) => (c.spec?.parameters ? parametersText(c.spec.parameters) : "<none>") },
    ageColumn,
  ],
});
