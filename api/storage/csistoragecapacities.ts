// CSIStorageCapacity: how much of a class of storage there is left, and where.
import type { Problem } from "../errors.ts";
import type { CSIStorageCapacity } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { invalid, unchanged } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { schemaOf } from "../schema.ts";
import { nameColumn } from "../columns.ts";
import { validateLabelSelector } from "../selector-validate.ts";

function validate(c: Draft<CSIStorageCapacity>, old?: CSIStorageCapacity): readonly Problem[] {
  if (old)
    return [
      ...unchanged(c.nodeTopology, old.nodeTopology, "nodeTopology"),
      ...unchanged(c.storageClassName, old.storageClassName, "storageClassName"),
    ];
  const isNegative = (parseQuantity(c.capacity ?? "0")?.nano ?? 0n) < 0n;
  return [
    ...validateSubdomainName(c.metadata.name, "metadata.name"),
    ...validateLabelSelector(c.nodeTopology, "nodeTopology"),
    ...validateSubdomainName(c.storageClassName, "storageClassName"),
    ...(isNegative ? [invalid("capacity", c.capacity, "must be greater than or equal to 0")] : []),
  ];
}

export const csiStorageCapacities = define<CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  scope: "Namespaced",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.storage.v1.CSIStorageCapacity",
  schema: schemaOf("io.k8s.api.storage.v1.CSIStorageCapacity"),
  validate,
  columns: [
    nameColumn,
    { name: "StorageClassName", cell: (c) => c.storageClassName },
    { name: "Capacity", cell: (c) => c.capacity ?? "<unset>" },
  ],
});
