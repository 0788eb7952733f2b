// CSIDriver: a storage driver, and what it wants of the cluster.
import type { Problem } from "../errors.ts";
import type { CSIDriver, StorageV1TokenRequest } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { duplicate, invalid, unchanged } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

function validateToken(
  { audience, expirationSeconds: seconds }: StorageV1TokenRequest,
  path: string,
  isRepeated: boolean,
): readonly Problem[] {
  if (isRepeated) return [duplicate(`${path}.audience`, audience)];
  const at = `${path}.expirationSeconds`;
  if (seconds === undefined) return [];
  if (seconds < 600) return [invalid(at, seconds, "may not specify a duration less than 10 minutes")];
  return seconds > 2 ** 32 ? [invalid(at, seconds, "may not specify a duration larger than 2^32 seconds")] : [];
}

function validate({ spec }: Draft<CSIDriver>, old?: CSIDriver): readonly Problem[] {
  const { tokenRequests: tokens = [] } = spec;
  return [
    ...tokens.flatMap((t, i) =>
      validateToken(t, `spec.tokenRequests[${i}]`, tokens.findIndex((other) => other.audience === t.audience) < i),
    ),
    ...(old ? unchanged(spec.attachRequired, old.spec.attachRequired, "spec.attachedRequired") : []),
  ];
}

export const csiDrivers = define<CSIDriver>({
  group: "storage.k8s.io",
  kind: "CSIDriver",
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  validate,
  columns: [
    nameColumn,
    { name: "AttachRequired", type: "boolean", cell: (d) => d.spec.attachRequired ?? true },
    { name: "PodInfoOnMount", type: "boolean", cell: (d) => d.spec.podInfoOnMount ?? false },
    { name: "StorageCapacity", type: "boolean", cell: (d) => d.spec.storageCapacity ?? false },
    { name: "TokenRequests", cell: (d) => d.spec.tokenRequests?.map((t) => t.audience).join(",") ?? "<unset>" },
    { name: "RequiresRepublish", type: "boolean", cell: (d) => d.spec.requiresRepublish ?? false },
    { name: "Modes", cell: (d) => d.spec.volumeLifecycleModes?.join(",") || "<none>" },
    ageColumn,
  ],
});
