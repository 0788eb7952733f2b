// IngressClass: who carries out ingresses, and the one to take when an ingress does not say.
import type { Problem } from "../errors.ts";
import type { IngressClass, IngressClassParametersReference } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateLabelName } from "../names.ts";
import { forbidden, required } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

function validateScope({ scope, namespace }: IngressClassParametersReference, path: string): readonly Problem[] {
  const at = `${path}.namespace`;
  if (scope === "Cluster")
    return namespace === undefined ? [] : [forbidden(at, "`parameters.scope` is set to 'Cluster'")];
  if (scope !== "Namespace") return [];
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
