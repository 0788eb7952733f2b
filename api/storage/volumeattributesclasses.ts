// VolumeAttributesClass: what a volume may be made to be while it is in use.
import type { Problem } from "../errors.ts";
import type { VolumeAttributesClass } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { required } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import {
  defaultMark,
  forbiddenUpdate,
  keptParameters,
  validateParameters,
  validateProvider,
} from "./storage-parameters.ts";

const validate = (c: Draft<VolumeAttributesClass>, old?: VolumeAttributesClass): readonly Problem[] => [
  ...(old && c.driverName !== old.driverName ? [forbiddenUpdate("driverName")] : []),
  ...(old ? keptParameters(c.parameters, old.parameters) : []),
  ...validateProvider(c.driverName, "driverName"),
  ...validateParameters(c.parameters),
  ...(Object.keys(c.parameters ?? {}).length > 0
    ? []
    : [required("parameters", "must contain at least one key/value pair")]),
];

export const volumeAttributesClasses = define<VolumeAttributesClass>({
  group: "storage.k8s.io",
  kind: "VolumeAttributesClass",
  shortNames: ["vac"],
  scope: "Cluster",
  validate,
  columns: [
    { ...nameColumn, cell: (c) => c.metadata.name + defaultMark(c, "volumeattributesclass") },
    { name: "DriverName", cell: (c) => c.driverName },
    ageColumn,
  ],
});
