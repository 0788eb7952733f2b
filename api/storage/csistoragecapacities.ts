// CSIStorageCapacity: how much of a class of storage there is left, and where.
import type { Problem } from "../errors.ts";
import type { CSIStorageCapacity } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { invalid } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { nameColumn } from "../columns.ts";

const validate = ({ capacity }: Draft<CSIStorageCapacity>): readonly Problem[] =>
  (parseQuantity(capacity ?? "0")?.nano ?? 0n) < 0n
    ? [invalid("capacity", capacity, "must be greater than or equal to 0")]
    : [];

export const csiStorageCapacities = define<CSIStorageCapacity>({
  group: "storage.k8s.io",
  kind: "CSIStorageCapacity",
  scope: "Namespaced",
  allowUnconditionalUpdate: false,
  validate,
  columns: [
    nameColumn,
    { name: "StorageClassName", cell: (c) => c.storageClassName },
    { name: "Capacity", cell: (c) => c.capacity ?? "<unset>" },
  ],
});
