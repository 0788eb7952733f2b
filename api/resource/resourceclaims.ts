// ResourceClaim: devices somebody needs, and which ones were given to whom.
import type { ResourceV1ResourceClaim as ResourceClaim } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { claimDefaults } from "./device-requests.ts";
import { validateSubdomainName } from "../names.ts";
import { unchanged } from "../problems.ts";
import { validateClaim } from "./device-requests-validate.ts";
import { validateClaimStatus } from "./resourceclaims-validate.ts";

function stateText({ metadata, status }: ResourceClaim): string {
  const isGoing = metadata.deletionTimestamp !== undefined;
  if (!status?.allocation) return isGoing ? "deleted" : "pending";
  return [...(isGoing ? ["deleted"] : []), "allocated", ...(status.reservedFor?.length ? ["reserved"] : [])].join(",");
}

export const resourceClaims = define<ResourceClaim>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaim",
  plural: "resourceclaims",
  scope: "Namespaced",
  subresources: ["status"],
  published: "io.k8s.api.resource.v1.ResourceClaim",
  schema: schemaOf("io.k8s.api.resource.v1.ResourceClaim"),
  defaults: (d) => ({
    ...d,
    spec: { ...d.spec, devices: claimDefaults(d.spec?.devices ?? {}) },
    status: d.status ?? {},
  }),
  validate: ({ metadata, spec }, old) =>
    old
      ? unchanged(spec, old.spec, "spec")
      : [...validateSubdomainName(metadata.name, "metadata.name"), ...validateClaim(spec.devices, "spec.devices")],
  validateStatus: validateClaimStatus,
  columns: [nameColumn, { name: "State", cell: stateText }, ageColumn],
});
