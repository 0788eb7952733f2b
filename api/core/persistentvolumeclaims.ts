// PersistentVolumeClaim: a request for storage, and the volume bound to it.
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { fractions } from "./pod/warnings.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { accessModesCell, classAnnotation } from "./volume-fields.ts";
import { claimRules, validateClaim, validateClaimStatus } from "./persistentvolumeclaims-validate.ts";

export type { PersistentVolumeClaim } from "../generated/types.ts";

/** `dataSource` and `dataSourceRef` default to each other, unless the reference is to another namespace. */
function dataSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec): Partial<PersistentVolumeClaimSpec> {
  if (dataSource && !dataSourceRef) return { dataSourceRef: dataSource };
  if (!dataSourceRef || dataSource || dataSourceRef.namespace) return {};
  const { namespace: _, ...local } = dataSourceRef;
  return { dataSource: local };
}

export const persistentVolumeClaims = define<PersistentVolumeClaim>({
  group: "",
  kind: "PersistentVolumeClaim",
  shortNames: ["pvc"],
  scope: "Namespaced",
  subresources: ["status"],
  defaults: (d) => ({ ...d, spec: { ...d.spec, ...dataSources(d.spec) } }),
  rules: claimRules,
  validate: validateClaim,
  validateStatus: validateClaimStatus,
  warnings: ({ metadata, spec }) => [
    ...(metadata.annotations?.[classAnnotation] === undefined
      ? []
      : [`metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...fractions(spec?.resources?.requests, ["storage"], "spec.resources.requests"),
    ...fractions(spec?.resources?.limits, ["storage"], "spec.resources.limits"),
  ],
  columns: [
    nameColumn,
    { name: "Status", cell: (c) => (c.metadata.deletionTimestamp ? "Terminating" : (c.status?.phase ?? "")) },
    { name: "Volume", cell: (c) => c.spec.volumeName ?? "" },
    { name: "Capacity", cell: (c) => (c.spec.volumeName ? (c.status?.capacity?.["storage"] ?? "0") : "") },
    { name: "Access Modes", cell: (c) => (c.spec.volumeName ? accessModesCell(c.status?.accessModes) : "") },
    { name: "StorageClass", cell: (c) => c.metadata.annotations?.[classAnnotation] ?? c.spec.storageClassName ?? "" },
    { name: "VolumeAttributesClass", cell: (c) => c.spec.volumeAttributesClassName ?? "<unset>" },
    ageColumn,
    { name: "VolumeMode", priority: 1, cell: (c) => c.spec.volumeMode ?? "<unset>" },
  ],
});
