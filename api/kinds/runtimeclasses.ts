// RuntimeClass: what runs a pod's containers, what that costs, and on which nodes it is to be had.
import type { Problem } from "../errors.ts";
import type { RuntimeClass, Toleration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateLabels, validateSubdomainName } from "../names.ts";
import { duplicate, required, unchanged } from "../problems.ts";
import { sameJson } from "../hash.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "./columns.ts";

const repeated = (tolerations: readonly Toleration[], path: string): readonly Problem[] =>
  tolerations.flatMap((t, i) =>
    tolerations.findIndex((other) => sameJson(other, t)) < i ? [duplicate(`${path}[${i}]`, t)] : [],
  );

function validate(c: Draft<RuntimeClass>, old?: RuntimeClass): readonly Problem[] {
  if (old) return unchanged(c.handler, old.handler, "handler");
  return [
    ...validateSubdomainName(c.metadata.name, "metadata.name"),
    ...(c.handler ? validateLabelName(c.handler, "handler") : [required("handler")]),
    ...validateLabels(c.scheduling?.nodeSelector, "scheduling.nodeSelector"),
    ...repeated(c.scheduling?.tolerations ?? [], "scheduling.tolerations"),
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
