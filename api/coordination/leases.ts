// Lease: a lock that expires unless renewed; for node heartbeats and leader election.
import type { Lease } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { forbidden, oneOf, together } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { Lease } from "../generated/types.ts";

const strategies = ["OldestEmulationVersion"];

function validate({ spec }: Draft<Lease>): readonly Problem[] {
  const { preferredHolder, strategy } = spec;
  return together(
    strategy?.includes("/")
      ? validateQualifiedName(strategy, "spec.strategy")
      : oneOf(strategy, "spec.strategy", strategies),
    preferredHolder &&
      !strategy &&
      forbidden("spec.preferredHolder", "may only be specified when `strategy` is defined"),
  );
}

export const leases = define<Lease>({
  group: "coordination.k8s.io",
  kind: "Lease",
  scope: "Namespaced",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validate,
  columns: [nameColumn, { name: "Holder", cell: (l) => l.spec.holderIdentity ?? "" }, ageColumn],
});
