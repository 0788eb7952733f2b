// RuntimeClass: what runs a pod's containers, what that costs, and on which nodes it is to be had.
import type { Problem } from "../errors.ts";
import type { RuntimeClass, Toleration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateLabels, validateSubdomainName } from "../names.ts";
import { duplicate, required, unchanged } from "../problems.ts";
import { sameJson } from "../hash.ts";
import { shownToleration, validateTolerations } from "../core/pod/validate-placement.ts";
import { validateResources } from "../core/pod/validate-resources.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";

/** For how long something is tolerated does not make it another toleration. */
const repeated = (tolerations: readonly Toleration[], path: string): readonly Problem[] => {
  const keys = tolerations.map(({ key, operator, value, effect }) => ({ key, operator, value, effect }));
  return keys.flatMap((k, i) =>
    keys.findIndex((other) => sameJson(other, k)) < i
      ? [duplicate(`${path}[${i}]`, shownToleration(tolerations[i]!))]
      : [],
  );
};

function validate(c: Draft<RuntimeClass>, old?: RuntimeClass): readonly Problem[] {
  if (old) return unchanged(c.handler, old.handler, "handler");
  const { nodeSelector, tolerations = [] } = c.scheduling ?? {};
  return [
    ...validateSubdomainName(c.metadata.name, "metadata.name"),
    ...(c.handler ? validateLabelName(c.handler, "handler") : [required("handler")]),
    ...validateResources(c.overhead?.podFixed && { limits: c.overhead.podFixed }, [], "overhead"),
    ...validateLabels(nodeSelector, "scheduling.nodeSelector"),
    ...validateTolerations(tolerations, "scheduling.tolerations"),
    ...repeated(tolerations, "scheduling.tolerations"),
  ];
}

export const runtimeClasses = define<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  scope: "Cluster",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.node.v1.RuntimeClass",
  schema: schemaOf("io.k8s.api.node.v1.RuntimeClass"),
  validate,
  columns: [nameColumn, { name: "Handler", cell: (c) => c.handler }, ageColumn],
});
