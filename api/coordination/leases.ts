// Lease: a claim that expires unless renewed; how nodes say they live and components elect a leader.
import type { Lease } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName, validateSubdomainName } from "../names.ts";
import { forbidden, invalid, notNegative, oneOf } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { Lease } from "../generated/types.ts";

const strategies = ["OldestEmulationVersion"];

function validate({ metadata, spec }: Draft<Lease>): readonly Problem[] {
  const { leaseDurationSeconds: seconds = 1, preferredHolder, strategy } = spec;
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...(seconds > 0 ? [] : [invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")]),
    ...notNegative(spec.leaseTransitions, "spec.leaseTransitions"),
    ...(strategy?.includes("/")
      ? validateQualifiedName(strategy, "spec.strategy")
      : oneOf(strategy, "spec.strategy", strategies)),
    ...(preferredHolder && !strategy
      ? [forbidden("spec.preferredHolder", "may only be specified when `strategy` is defined")]
      : []),
  ];
}

export const leases = define<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.coordination.v1.Lease",
  schema: schemaOf("io.k8s.api.coordination.v1.Lease"),
  defaults: (d) => ({ ...d, spec: d.spec ?? {} }),
  validate,
  columns: [nameColumn, { name: "Holder", cell: (l) => l.spec.holderIdentity ?? "" }, ageColumn],
});
