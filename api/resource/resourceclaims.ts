// ResourceClaim: devices somebody needs, and which ones were given to whom.
import type { ResourceV1ResourceClaim as ResourceClaim } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { claimDefaults } from "./device-requests.ts";
import { claimRules, validateClaimStatus } from "./resourceclaims-validate.ts";

function stateText({ metadata, status }: ResourceClaim): string {
  const isGoing = metadata.deletionTimestamp !== undefined;
  if (!status?.allocation) return isGoing ? "deleted" : "pending";
  return [...(isGoing ? ["deleted"] : []), "allocated", ...(status.reservedFor?.length ? ["reserved"] : [])].join(",");
}

export const resourceClaims = define<ResourceClaim>({
  group: "resource.k8s.io",
  kind: "ResourceClaim",
  scope: "Namespaced",
  subresources: ["status"],
  defaults: (d) => ({ ...d, spec: { ...d.spec, devices: claimDefaults(d.spec.devices ?? {}) } }),
  rules: claimRules,
  validateStatus: validateClaimStatus,
  columns: [nameColumn, { name: "State", cell: stateText }, ageColumn],
});
