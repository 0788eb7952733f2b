// PersistentVolume: a piece of storage that claims can be bound to.
import type { PersistentVolume } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateVolume } from "./persistentvolumes-validate.ts";
import { accessModesCell, classAnnotation } from "./volume-fields.ts";

export type { PersistentVolume } from "../generated/types.ts";

const claim = ({ spec: { claimRef } }: PersistentVolume): string =>
  claimRef ? `${claimRef.namespace ?? ""}/${claimRef.name ?? ""}` : "";

export const persistentVolumes = define<PersistentVolume>({
  group: "",
  kind: "PersistentVolume",
  shortNames: ["pv"],
  scope: "Cluster",
  subresources: ["status"],
  validate: validateVolume,
  columns: [
    nameColumn,
    { name: "Capacity", cell: (v) => v.spec.capacity?.["storage"] ?? "0" },
    { name: "Access Modes", cell: (v) => accessModesCell(v.spec.accessModes) },
    { name: "Reclaim Policy", cell: (v) => v.spec.persistentVolumeReclaimPolicy ?? "" },
    { name: "Status", cell: (v) => (v.metadata.deletionTimestamp ? "Terminating" : (v.status?.phase ?? "")) },
    { name: "Claim", cell: claim },
    { name: "StorageClass", cell: (v) => v.metadata.annotations?.[classAnnotation] ?? v.spec.storageClassName ?? "" },
    { name: "VolumeAttributesClass", cell: (v) => v.spec.volumeAttributesClassName ?? "<unset>" },
    { name: "Reason", cell: (v) => v.status?.reason ?? "" },
    ageColumn,
    { name: "VolumeMode", priority: 1, cell: (v) => v.spec.volumeMode ?? "<unset>" },
  ],
});
