// CSIDriver: a storage driver, and what it wants of the cluster.
import type { Problem } from "../errors.ts";
import type { CSIDriver, StorageV1TokenRequest } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { duplicate, invalid, oneOf, unchanged } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";

const groupPolicies = ["File", "None", "ReadWriteOnceWithFSType"];
const lifecycles = ["Persistent", "Ephemeral"];

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

function validate({ metadata, spec }: Draft<CSIDriver>, old?: CSIDriver): readonly Problem[] {
  const { tokenRequests: tokens = [], nodeAllocatableUpdatePeriodSeconds: period } = spec;
  const path = "spec.nodeAllocatableUpdatePeriodSeconds";
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...oneOf(spec.fsGroupPolicy, "spec.fsGroupPolicy", groupPolicies),
    ...tokens.flatMap((t, i) =>
      validateToken(t, `spec.tokenRequests[${i}]`, tokens.findIndex((other) => other.audience === t.audience) < i),
    ),
    ...(spec.volumeLifecycleModes ?? []).flatMap((m) => oneOf(m, "spec.volumeLifecycleModes", lifecycles)),
    ...(period !== undefined && period < 10
      ? [invalid(path, period, "must be greater than or equal to 10 seconds")]
      : []),
    ...(old
      ? [
          ...unchanged(spec.attachRequired, old.spec.attachRequired, "spec.attachedRequired"),
          ...unchanged(spec.volumeLifecycleModes, old.spec.volumeLifecycleModes, "spec.volumeLifecycleModes"),
        ]
      : []),
  ];
}

const silent: CSIDriver["spec"] = {
  attachRequired: true,
  fsGroupPolicy: "ReadWriteOnceWithFSType",
  podInfoOnMount: false,
  requiresRepublish: false,
  seLinuxMount: false,
  storageCapacity: false,
};

export const csiDrivers = define<CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.storage.v1.CSIDriver",
  schema: schemaOf("io.k8s.api.storage.v1.CSIDriver"),
  defaults: (d) => {
    const modes = d.spec?.volumeLifecycleModes;
    return { ...d, spec: { ...silent, ...d.spec, volumeLifecycleModes: modes?.length ? modes : ["Persistent"] } };
  },
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
